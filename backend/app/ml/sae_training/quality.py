"""How good a checkpoint is, so that the best one can be kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.ml.sae_training.batches import RowSource
from app.ml.sae_training.folding import InferenceForm
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder

MOST_ROWS = 8192
FEWEST_ROWS = 256
BATCH_ROWS = 2048
SMOOTHING = 0.1


@dataclass(frozen=True)
class Quality:
    """Explained variance of the dictionary as it is exported, and what it was measured on.

    ``split`` is "heldout" (``n_tokens`` held-out tokens) or, where a store has too few of them,
    "training": the moving average of the reported training points.
    """

    explained_variance: float | None
    split: Literal["heldout", "training"]
    n_tokens: int


class HeldoutSample:
    """Up to 8,192 held-out tokens, taken evenly, that every checkpoint is measured on."""

    def __init__(
        self, inputs: RowSource, targets: RowSource | None, n_train_rows: int, n_rows: int
    ) -> None:
        count = min(n_rows - n_train_rows, MOST_ROWS)
        self.numbers = np.linspace(n_train_rows, n_rows - 1, max(count, 0)).astype(np.int64)
        self._inputs, self._targets = inputs, targets

    def measure(self, form: InferenceForm, smoothed_variance: float | None) -> Quality:
        """Measure a dictionary, or fall back to the training's smoothed figure."""
        if len(self.numbers) < FEWEST_ROWS:
            return Quality(smoothed_variance, "training", 0)
        device = form.tensors["b_dec_D"].device
        sae = SparseAutoencoder(
            form.tensors, form.activation, form.k, centres_input=form.centres_input
        ).to(device)
        x = self._inputs.gather(self.numbers)
        target = x if self._targets is None else self._targets.gather(self.numbers)
        error = 0.0
        for start in range(0, len(x), BATCH_ROWS):
            rows = slice(start, start + BATCH_ROWS)
            output_BD = sae(x[rows].to(device))
            error += (output_BD.cpu() - target[rows]).double().square().sum().item()
        spread = (target.double() - target.double().mean(dim=0)).square().sum().item()
        value = 1 - error / spread if spread > 0 else 0.0
        return Quality(value if math.isfinite(value) else None, "heldout", len(x))


def smoothed(before: float | None, explained_variance: float) -> float | None:
    """Return the moving average of the training's explained variance."""
    if not math.isfinite(explained_variance):
        return before
    if before is None:
        return explained_variance
    return before + SMOOTHING * (explained_variance - before)
