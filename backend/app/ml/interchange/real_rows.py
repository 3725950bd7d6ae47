"""Real activations of a model, on which a dictionary is compared with its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.encoding import encode_batch
from app.ml.errors import InvalidActivations
from app.ml.language_models.forward import capture
from app.ml.language_models.hook_points import resolve_hook_point
from app.ml.language_models.loading import LoadedModel

COMPARED_ROWS = 2048
FEWEST_ROWS = 64
WINDOW_TOKENS = 128
# As an extraction drops them by default: one attention sink outweighs all other tokens.
NORM_LIMIT = 10.0


@dataclass(frozen=True)
class RealRows:
    """``x_ND`` is what a dictionary reads, ``target_ND`` what it should write; float32."""

    x_ND: torch.Tensor
    target_ND: torch.Tensor
    source: Literal["extraction", "text"]


def rows_of_store(store: ActivationStore, layer: int, reads: str, writes: str) -> RealRows:
    """Take rows evenly from a store, held-out ones where it has enough.

    Raises:
        StoreInvalid: the store lacks one of the places.
        InvalidActivations: it has hardly any rows.
    """
    enough = store.n_heldout_rows >= COMPARED_ROWS
    first = store.n_train_rows if enough else 0
    count = min(store.n_rows - first, COMPARED_ROWS)
    _require_enough(count)
    numbers = np.linspace(first, store.n_rows - 1, count).astype(np.int64)
    x_ND = store.rows(layer, reads).gather(numbers)
    target_ND = x_ND if writes == reads else store.rows(layer, writes).gather(numbers)
    return RealRows(x_ND, target_ND, "extraction")


def rows_of_text(
    loaded: LoadedModel, texts: Iterable[str], layer: int, reads: str, writes: str
) -> RealRows:
    """Let the model read texts until there are enough rows; first tokens and sinks are dropped.

    Raises:
        HookPointNotFound: the model has no such place.
        InvalidActivations: the texts are too short.
    """
    points = [resolve_hook_point(loaded.model, layer, hook_type) for hook_type in (reads, writes)]
    parts: list[tuple[torch.Tensor, torch.Tensor]] = []
    n_rows = 0
    for ids_1S in _windows(loaded, texts):
        found = capture(loaded, ids_1S, points)
        x_SD, target_SD = (found[point][0, 1:].float().cpu() for point in points)
        parts.append((x_SD, target_SD))
        n_rows += len(x_SD)
        if n_rows >= COMPARED_ROWS:
            break
    _require_enough(n_rows)
    x_ND, target_ND = (torch.cat(part) for part in zip(*parts, strict=True))
    norms_N = x_ND.norm(dim=1)
    kept_N = norms_N <= NORM_LIMIT * norms_N.median()
    return RealRows(x_ND[kept_N], target_ND[kept_N], "text")


def _windows(loaded: LoadedModel, texts: Iterable[str]) -> Iterator[torch.Tensor]:
    """Yield token ids (1, S), each window behind the model's start token."""
    start = [] if loaded.start_id is None else [loaded.start_id]
    length = min(WINDOW_TOKENS, loaded.card.max_positions) - len(start)
    for text in texts:
        ids = encode_batch(loaded.tokenizer, [text])[0]
        for at in range(0, len(ids) - 1, length):
            window = [*start, *ids[at : at + length].tolist()]
            yield torch.tensor([window], dtype=torch.int64)


def _require_enough(n_rows: int) -> None:
    if n_rows < FEWEST_ROWS:
        raise InvalidActivations(
            f"There are only {n_rows} tokens to compare on; at least {FEWEST_ROWS} are needed. "
            "Extract activations of more text."
        )
