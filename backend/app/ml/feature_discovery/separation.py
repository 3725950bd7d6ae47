"""How well a number tells one group of contexts from others, with an interval over documents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.ml.feature_discovery.probe import auc, auc_interval

RESAMPLES = 1000


@dataclass(frozen=True)
class Scored:
    """A number per context, and the document that the context is from."""

    values: npt.NDArray[np.float32]
    documents: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Separation:
    """Area under the ROC curve with its 95 % interval and the numbers on both sides."""

    area: float
    interval: tuple[float, float]
    n_own: int
    n_others: int


def together(groups: list[Scored]) -> Scored:
    """Return the contexts of all groups."""
    return Scored(
        np.concatenate([group.values for group in groups]),
        np.concatenate([group.documents for group in groups]),
    )


def separate(own: Scored, others: Scored, seed: int) -> Separation:
    """Measure how often one of ``own`` exceeds one of ``others``; ties count half.

    The interval covers both the percentiles over ``RESAMPLES`` draws of whole documents (contexts
    of a document are alike) and that of Hanley and McNeil (a separation without a fault has no
    spread among its resamples).
    """
    expected = np.arange(len(own) + len(others)) < len(own)
    area = float(auc(np.r_[own.values, others.values][:, None], expected)[0])
    low, high = auc_interval(area, len(own), len(others))
    drawn = _resampled(own, others, seed)
    if len(drawn):
        first, last = np.percentile(drawn, [2.5, 97.5]).tolist()
        low, high = min(low, first), max(high, last)
    return Separation(area, (low, high), len(own), len(others))


def _resampled(own: Scored, others: Scored, seed: int) -> npt.NDArray[np.float64]:
    """Return the areas of resamples of documents in which both sides are there."""
    documents, place = np.unique(np.r_[own.documents, others.documents], return_inverse=True)
    random = np.random.default_rng(seed)
    n = len(documents)
    weights_RD = random.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(np.float64)
    own_RP, others_RN = weights_RD[:, place[: len(own)]], weights_RD[:, place[len(own) :]]
    above = own.values[:, None] > others.values[None]
    wins_PN = above + 0.5 * (own.values[:, None] == others.values[None])
    pairs_R = own_RP.sum(axis=1) * others_RN.sum(axis=1)
    wins_R = ((own_RP @ wins_PN) * others_RN).sum(axis=1)
    usable = pairs_R > 0
    found: npt.NDArray[np.float64] = wins_R[usable] / pairs_R[usable]
    return found
