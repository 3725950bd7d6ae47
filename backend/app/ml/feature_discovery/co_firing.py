"""Which features fire together, counted on a subsample of the tokens."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from app.ml.feature_discovery.firing_log import FiringTable
from app.ml.feature_discovery.forked import map_ranges

MAX_PAIRS = 40_000_000
"""Bound on the pairs that are counted; fewer tokens are read when more fire on each."""
BLOCK_ENTRIES = 4_000_000
MIN_TOGETHER = 5
"""Fewer common firings say nothing: one chance meeting of two rare features has a huge PMI."""


@dataclass(frozen=True)
class Partner:
    """A feature that fires with another; all figures are of the same ``n_tokens`` tokens.

    ``pearson`` of the activations over all tokens (zeros included), ``jaccard`` and ``pmi`` (nats)
    of firing, ``together`` the number of common firings.
    """

    index: int
    pearson: float
    jaccard: float
    pmi: float
    together: int


@dataclass(frozen=True)
class CoFiring:
    """Partners per feature, the highest Pearson correlation first."""

    partners: list[list[Partner]]
    n_tokens: int


def measure_co_firing(table: FiringTable, n_latents: int, max_tokens: int, keep: int) -> CoFiring:
    """Count pairs of features on evenly chosen tokens.

    Listed are the ``keep`` partners of each feature with the highest Pearson correlation and the
    ``keep`` with the highest Jaccard index. The pair matrix is built for a block of features at a
    time and never as a whole; copies of this process share the blocks where torch has threads.
    """
    rows = choose_tokens(table, max_tokens)
    if not keep or not len(rows):
        return CoFiring([[] for _ in range(n_latents)], 0)
    counts, latents, values = table.rows(rows)
    starts = np.r_[0, np.cumsum(counts)]
    shape = (len(rows), n_latents)
    values_NF = sparse.csr_array((values.astype(np.float64), latents, starts), shape=shape)
    fires_NF = sparse.csr_array((np.ones(len(latents)), latents, starts), shape=shape)
    measured = _Measured.of(values_NF, fires_NF)
    values_FN, fires_FN = values_NF.T.tocsr(), fires_NF.T.tocsr()

    def count(start: int, stop: int) -> list[list[Partner]]:
        # Activations are above zero: both products have the same entries, in the same order.
        together = (fires_FN[start:stop] @ fires_NF).tocsr()
        products = (values_FN[start:stop] @ values_NF).tocsr().data
        parts = itertools.pairwise(together.indptr.tolist())
        return [
            measured.best(
                start + row, together.indices[low:high], together.data[low:high],
                products[low:high], keep,
            )
            for row, (low, high) in enumerate(parts)
        ]  # fmt: skip

    step = max(1, int(BLOCK_ENTRIES / max(n_latents, 1)))
    blocks = map_ranges(count, n_latents, step)
    return CoFiring(list(itertools.chain.from_iterable(blocks)), len(rows))


def choose_tokens(table: FiringTable, max_tokens: int) -> npt.NDArray[np.int64]:
    """Return evenly spread rows: at most ``max_tokens``, and at most ``MAX_PAIRS`` pairs in all."""
    n = table.n_rows
    if not n or not max_tokens:
        return np.empty(0, dtype=np.int64)
    pairs = float((np.diff(table.offsets).astype(np.float64) ** 2).mean())
    wanted = min(n, max_tokens, max(int(MAX_PAIRS / max(pairs, 1.0)), 1))
    return ((np.arange(wanted) + 0.5) * n / wanted).astype(np.int64)


@dataclass(frozen=True)
class _Measured:
    n: int
    fires_F: npt.NDArray[np.float64]
    mean_F: npt.NDArray[np.float64]
    deviation_F: npt.NDArray[np.float64]

    @classmethod
    def of(cls, values_NF: sparse.csr_array, fires_NF: sparse.csr_array) -> _Measured:
        n = values_NF.shape[0]
        mean_F = values_NF.sum(axis=0) / n
        variance_F = values_NF.multiply(values_NF).sum(axis=0) / n - mean_F**2
        return cls(n, fires_NF.sum(axis=0), mean_F, np.sqrt(np.maximum(variance_F, 0)))

    def best(
        self,
        index: int,
        others: npt.NDArray[np.int32],
        together: npt.NDArray[np.float64],
        products: npt.NDArray[np.float64],
        keep: int,
    ) -> list[Partner]:
        usable = np.flatnonzero((others != index) & (together >= MIN_TOGETHER))
        usable = usable[np.argsort(others[usable])]
        others, together, products = others[usable], together[usable], products[usable]
        if not len(others):
            return []
        fires, mean, deviation = self.fires_F, self.mean_F, self.deviation_F
        scale = np.maximum(deviation[index] * deviation[others], 1e-30)
        pearson = (products / self.n - mean[index] * mean[others]) / scale
        jaccard = together / (fires[index] + fires[others] - together)
        pmi = np.log(together * self.n / (fires[index] * fires[others]))
        listed = np.union1d(_largest(pearson, keep), _largest(jaccard, keep))
        listed = listed[np.argsort(-pearson[listed], kind="stable")]
        columns = (others, pearson, jaccard, pmi, together.astype(np.int64))
        chosen = zip(*(column[listed].tolist() for column in columns), strict=True)
        return [Partner(*values) for values in chosen]


def _largest(values: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.int64]:
    if len(values) <= n:
        return np.arange(len(values))
    return np.argpartition(-values, n - 1)[:n].astype(np.int64)
