"""What a training reads and what it is to write, as rows of the same tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.activation_store import ActivationRows, ActivationStore
from app.ml.activation_extraction.window_reader import WindowReader
from app.ml.configs import (
    ConfigInvalid,
    encoder_type_problems,
    hook_type_problems,
    target_hook_type,
)
from app.ml.sae_training.batches import Batches, RowSource, ShuffledBatches
from app.ml.sae_training.resident_rows import ResidentRows, has_room
from app.ml.sae_training.streaming import ModelStream, StreamedBatches, places_of, reader_of


@dataclass(frozen=True)
class TrainingSource:
    """Rows ``0 .. n_train_rows - 1`` train, the rest is held out; ``targets`` None means inputs.

    With a ``stream`` a model's tokens train instead, and the rows are only measured on.
    """

    encoder_type: str
    layer: int
    hook_type: str
    target_hook_type: str
    inputs: RowSource
    targets: RowSource | None
    d_in: int
    d_out: int
    n_train_rows: int
    n_rows: int
    dtype: str
    stream: ModelStream | None = None
    reader: WindowReader | None = None

    @property
    def n_train_tokens(self) -> int:
        """Return what an epoch has: rows, or tokens of a stream before any is left out."""
        if self.reader is None:
            return self.n_train_rows
        tokens = self.reader.tokens
        return tokens.n_train_windows * tokens.content_length

    def near(self, device: torch.device) -> TrainingSource:
        """Return the same rows, those that train copied to a GPU where they take little of it."""
        if self.reader is not None or not isinstance(self.inputs, ActivationRows):
            return self
        kept = [self.inputs, *([self.targets] if isinstance(self.targets, ActivationRows) else [])]
        if not has_room(kept, self.n_train_rows, device):
            return self
        near = [ResidentRows(rows, self.n_train_rows, device) for rows in kept]
        return replace(self, inputs=near[0], targets=near[1] if self.targets else None)

    def batches(self, batch_size: int, seed: int, should_stop: Callable[[], bool]) -> Batches:
        """Return the batches of a training; ``should_stop`` is asked while a model reads."""
        rows = ShuffledBatches(self.inputs, self.n_train_rows, batch_size, seed, self.targets)
        if self.reader is None or self.stream is None:
            return rows
        return StreamedBatches(
            self.reader, rows, batch_size, seed, self.stream, self.dtype, should_stop
        )


def source_of(
    store: ActivationStore,
    layer: int,
    hook_type: str,
    encoder_type: str,
    stream: ModelStream | None = None,
) -> TrainingSource:
    """Open the places of a store that an encoder type reads and writes.

    Raises:
        ConfigInvalid: no such encoder type, or it does not read this place.
        StoreInvalid: a place was not extracted into this store.
    """
    problems = encoder_type_problems(encoder_type) or hook_type_problems(encoder_type, hook_type)
    if problems:
        raise ConfigInvalid(problems)
    target = target_hook_type(encoder_type, hook_type)
    inputs = store.rows(layer, hook_type)
    targets = None if target == hook_type else store.rows(layer, target)
    reader = None
    if stream is not None:
        reader = reader_of(store, stream, places_of(stream.loaded, layer, hook_type, target))
    return TrainingSource(
        encoder_type, layer, hook_type, target, inputs, targets, inputs.d_model,
        inputs.d_model if targets is None else targets.d_model,
        store.n_train_rows, store.n_rows, store.metadata["config"]["dtype"], stream, reader,
    )  # fmt: skip


class SharedRows:
    """Rows that several trainings ask for one after the other; the last batch is kept."""

    def __init__(self, rows: RowSource) -> None:
        self._rows = rows
        self._numbers: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._found = torch.empty(0)

    def gather(self, rows: npt.NDArray[np.int64]) -> torch.Tensor:
        if not np.array_equal(rows, self._numbers):
            self._found, self._numbers = self._rows.gather(rows), rows
        return self._found
