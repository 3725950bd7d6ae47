"""The held-out rows of a store as an evaluation reads them: inputs, targets, documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.activation_store import ActivationRows, ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.errors import InvalidActivations

MIN_HELDOUT_ROWS = 2


@dataclass(frozen=True)
class RowBatch:
    """``inputs_BD`` and ``targets_BD`` float32 (the same tensor unless a transcoder's)."""

    inputs_BD: torch.Tensor
    targets_BD: torch.Tensor
    documents_B: torch.Tensor
    done: int


@dataclass(frozen=True)
class HeldoutRows:
    """Rows ``first`` to ``last`` (exclusive) of two hook points, and the document of each.

    ``documents`` counts from 0 without gaps, in the order of the corpus.
    """

    inputs: ActivationRows
    targets: ActivationRows
    first: int
    last: int
    documents: npt.NDArray[np.int64]
    n_documents: int

    @property
    def n_rows(self) -> int:
        return self.last - self.first

    def batches(self, batch_rows: int, device: torch.device) -> Iterator[RowBatch]:
        """Yield all rows in order."""
        for start in range(self.first, self.last, batch_rows):
            stop = min(start + batch_rows, self.last)
            inputs_BD = self.inputs.slice(start, stop).to(device)
            same = self.targets is self.inputs
            targets_BD = inputs_BD if same else self.targets.slice(start, stop).to(device)
            here = slice(start - self.first, stop - self.first)
            documents_B = torch.from_numpy(self.documents[here])
            yield RowBatch(inputs_BD, targets_BD, documents_B, stop - self.first)


def heldout_rows(
    store: ActivationStore,
    tokens: TokenStore | None,
    layer: int,
    hook_type: str,
    target_hook_type: str,
) -> HeldoutRows:
    """Open the held-out rows; without ``tokens`` a window takes the place of a document.

    Raises:
        InvalidActivations: the store has none.
        StoreInvalid: it lacks one of the places.
    """
    if store.n_heldout_rows < MIN_HELDOUT_ROWS:
        raise InvalidActivations(
            "The store has no held-out tokens; tokenise with a held-out share above 0 %."
        )
    inputs = store.rows(layer, hook_type)
    targets = inputs if target_hook_type == hook_type else store.rows(layer, target_hook_type)
    index = store.indices[store.n_train_rows :]
    origin = index["window"].astype(np.int64)
    if tokens is not None:
        origin = tokens.documents_at(index["token"])
    numbers, documents = np.unique(origin, return_inverse=True)
    return HeldoutRows(
        inputs, targets, store.n_train_rows, store.n_rows, documents.astype(np.int64), len(numbers)
    )
