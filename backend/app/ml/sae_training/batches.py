"""Token-shuffled batches that depend on seed and step alone, so that resuming is exact."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from app.ml.errors import InvalidActivations

NORMALISATION_ROWS = 131_072
NORMALISATION_STREAM = 2**32

Rows = tuple[torch.Tensor, torch.Tensor]
"""What is read and what is to be written, float32 (B, D) each; one tensor twice in an SAE."""


class RowSource(Protocol):
    """Rows of one hook point by their number; ``ActivationRows`` is one."""

    def gather(self, rows: npt.NDArray[np.int64]) -> torch.Tensor:
        """Return the rows in the given order, float32."""


class Batches(Protocol):
    """Where a training's rows come from; ``block_rows`` is what a checkpoint must remember."""

    block_rows: list[int]

    def batch(self, step: int) -> Rows:
        """Return batch ``step``: the same rows at every call."""

    def sample(self, n_rows: int | None = None) -> Rows:
        """Return distinct random training rows for statistics, 131,072 unless told."""


class ShuffledBatches:
    """Batches over the training rows: every epoch a new permutation of all of them.

    Batch ``step`` covers places ``step * B .. (step + 1) * B - 1`` of the endless chain of
    permutations; no row repeats before all were seen. A permutation costs 8 bytes per row of
    memory, 1/100 of the rows themselves.

    Args:
        inputs: Rows that are read.
        n_train_rows: Rows ``0 .. n_train_rows - 1`` may be used.
        batch_size: Rows per batch.
        seed: Fixes the order.
        targets: The same tokens at the place that is written; the inputs if left out.
    """

    def __init__(
        self,
        inputs: RowSource,
        n_train_rows: int,
        batch_size: int,
        seed: int,
        targets: RowSource | None = None,
    ) -> None:
        if n_train_rows < 1:
            raise InvalidActivations("The store has no training rows.")
        self.inputs, self.targets = inputs, targets
        self.n, self.batch_size, self.seed = n_train_rows, batch_size, seed
        self.block_rows: list[int] = []  # batches follow from seed and step alone
        self._epoch = -1
        self._permutation: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def row_numbers(self, step: int) -> npt.NDArray[np.int64]:
        """Return which rows batch ``step`` holds."""
        parts, place = [], step * self.batch_size
        end = place + self.batch_size
        while place < end:
            epoch, inside = divmod(place, self.n)
            count = min(end - place, self.n - inside)
            parts.append(self._permuted(epoch)[inside : inside + count])
            place += count
        return np.concatenate(parts)

    def batch(self, step: int) -> Rows:
        """Return batch ``step``."""
        return self._gather(self.row_numbers(step))

    def sample(self, n_rows: int | None = None) -> Rows:
        """Return distinct random training rows for statistics."""
        random = np.random.default_rng([self.seed, NORMALISATION_STREAM])
        count = min(n_rows or NORMALISATION_ROWS, self.n)
        chosen = random.choice(self.n, size=count, replace=False, shuffle=False)
        return self._gather(np.sort(chosen).astype(np.int64))

    def _gather(self, numbers: npt.NDArray[np.int64]) -> Rows:
        inputs = self.inputs.gather(numbers)
        return inputs, inputs if self.targets is None else self.targets.gather(numbers)

    def _permuted(self, epoch: int) -> npt.NDArray[np.int64]:
        if epoch != self._epoch:
            self._permutation = np.random.default_rng([self.seed, epoch]).permutation(self.n)
            self._epoch = epoch
        return self._permutation
