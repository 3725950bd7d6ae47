"""Sums per document in float64, and what they say about the spread of a figure.

A figure here is a ratio of two sums over tokens. Kept per document, the sums give the figure for
any batch size and order, and for any choice of documents without reading a token again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from app.ml.sae_training.evaluation_record import Interval

RESAMPLES = 1000
RESAMPLES_AT_ONCE = 50
MIN_DOCUMENTS = 10
"""With fewer documents the spread between them says too little."""


@dataclass(frozen=True)
class Ratio:
    """``offset + sign * sum(numerator) / sum(denominator)`` over documents."""

    numerator: npt.NDArray[np.float64]
    denominator: npt.NDArray[np.float64]
    offset: float = 0.0
    sign: float = 1.0

    def value(self) -> float | None:
        """Return the figure over all documents; None where the denominator is 0."""
        below = float(self.denominator.sum())
        if below == 0:
            return None
        return self.offset + self.sign * float(self.numerator.sum()) / below


class DocumentSums:
    """Adds up named values of tokens, per document.

    Args:
        n_documents: Documents are numbered 0 to this, exclusive.
    """

    def __init__(self, n_documents: int) -> None:
        self.n_documents = n_documents
        self._sums: dict[str, torch.Tensor] = {}

    def add(self, documents_B: torch.Tensor, values: Mapping[str, torch.Tensor]) -> None:
        """Add tokens: the document of each (int64, CPU) and its values (B,) of any float dtype."""
        for name, value_B in values.items():
            if name not in self._sums:
                self._sums[name] = torch.zeros(self.n_documents, dtype=torch.float64)
            self._sums[name].index_add_(0, documents_B, value_B.detach().double().cpu())

    def __contains__(self, name: str) -> bool:
        return name in self._sums

    def __getitem__(self, name: str) -> npt.NDArray[np.float64]:
        return self._sums[name].numpy()

    def total(self, name: str) -> float:
        return float(self._sums[name].sum())


def bootstrap_intervals(ratios: Mapping[str, Ratio], *, seed: int = 0) -> dict[str, Interval]:
    """Resample documents with replacement and return each ratio's 2.5 to 97.5 percentile.

    All figures see the same 1000 resamples. Documents count as drawn even if they hold few
    tokens, so the weight by tokens is resampled with them. Seeded: the same sums give the same
    intervals. Source: Efron 1979, percentile method, clustered by document.

    Args:
        ratios: Over the same documents.
        seed: Of the draws.

    Returns:
        Nothing for fewer than ``MIN_DOCUMENTS`` documents, or where a denominator vanishes.
    """
    names = list(ratios)
    n_documents = len(ratios[names[0]].numerator) if names else 0
    if n_documents < MIN_DOCUMENTS:
        return {}
    above = np.stack([ratios[name].numerator for name in names], axis=1)
    below = np.stack([ratios[name].denominator for name in names], axis=1)
    random = np.random.default_rng(seed)
    drawn = [
        _resampled(random, above, below) for _ in range(0, RESAMPLES, RESAMPLES_AT_ONCE)
    ]  # fmt: skip
    figures = np.concatenate(drawn)
    found = {}
    for column, name in enumerate(names):
        values = ratios[name].offset + ratios[name].sign * figures[:, column]
        if np.isfinite(values).all():
            low, high = np.percentile(values, [2.5, 97.5])
            found[name] = Interval(float(low), float(high))
    return found


def _resampled(
    random: np.random.Generator, above: npt.NDArray[np.float64], below: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    n = len(above)
    draws = random.integers(0, n, size=(RESAMPLES_AT_ONCE, n))
    draws += np.arange(RESAMPLES_AT_ONCE)[:, None] * n
    counts = np.bincount(draws.ravel(), minlength=RESAMPLES_AT_ONCE * n)
    weights = counts.reshape(RESAMPLES_AT_ONCE, n).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((weights @ above) / (weights @ below), dtype=np.float64)
