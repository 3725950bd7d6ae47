"""Whether a feature's contexts are alike in meaning: told from other text by sentence embeddings.

Needs a sentence embedder, which is an extra package; without it nothing here runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.ml.errors import Stopped
from app.ml.feature_discovery.contexts import ContextReader
from app.ml.feature_discovery.probe import auc, auc_interval
from app.ml.feature_discovery.token_counts import FIT, TEST
from app.ml.records import Progress, Report, ShouldStop
from app.ml.sentence_embedding import SentenceEmbedder

CONTEXTS = 30
"""Strongest contexts compared of each feature."""
MIN_CONTEXTS = 5
"""Fewer in a half of the documents say nothing."""
OTHERS = 200
"""Evenly chosen contexts in each half; the negatives are those in which the feature is silent."""
NULL_DRAWS = 20

Embeddings = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Coherence:
    """``null`` is the mean area for as many contexts drawn from the others."""

    area: float
    interval: tuple[float, float]
    null: float
    n_contexts: int


def centroid_auc(fit_ND: Embeddings, own_ND: Embeddings, other_ND: Embeddings) -> float:
    """Return how often one of ``own`` is nearer to the mean direction of ``fit`` than an other."""
    nearness = np.concatenate([own_ND, other_ND]) @ fit_ND.mean(axis=0)
    expected = np.arange(len(nearness)) < len(own_ND)
    return float(auc(nearness[:, None], expected)[0])


def measure_coherence(
    reader: ContextReader,
    halves: npt.NDArray[np.int8],
    contexts: dict[int, npt.NDArray[np.int64]],
    embedder: SentenceEmbedder,
    seed: int,
    report: Report,
    should_stop: ShouldStop,
) -> dict[int, Coherence]:
    """Measure features on documents that their mean direction has not seen.

    Args:
        reader: Of the pass.
        halves: FIT or TEST of each document of the token store.
        contexts: Rows of the strongest contexts by feature.
        embedder: Embeds the contexts' text.
        seed: Of the null's draws.
        report: Gets progress in features.
        should_stop: Asked before each feature.

    Raises:
        Stopped: ``should_stop`` said so.
    """
    pools = _Pools.of(reader, halves, embedder, seed)
    found: dict[int, Coherence] = {}
    for done, (index, rows) in enumerate(contexts.items()):
        if should_stop():
            raise Stopped("Feature discovery was stopped.")
        report(Progress(done, len(contexts), "features", "Comparing contexts"))
        chosen = rows[:CONTEXTS]
        half = halves[reader.documents(chosen)]
        is_silent = reader.strongest(index, pools.rows[TEST]) <= 0
        sizes = int((half == FIT).sum()), int((half == TEST).sum())
        if min(*sizes, int(is_silent.sum())) < MIN_CONTEXTS:
            continue
        embedded = embedder.embed(reader.words(chosen)).numpy()
        others = pools.embedded[TEST][is_silent]
        area = centroid_auc(embedded[half == FIT], embedded[half == TEST], others)
        interval = auc_interval(area, sizes[1], len(others))
        found[index] = Coherence(area, interval, pools.null(*sizes), len(chosen))
    return found


@dataclass
class _Pools:
    """Contexts from everywhere, by half of the documents."""

    rows: dict[int, npt.NDArray[np.int64]]
    embedded: dict[int, Embeddings]
    seed: int
    known: dict[tuple[int, int], float]

    @classmethod
    def of(
        cls, reader: ContextReader, halves: npt.NDArray[np.int8], embedder: SentenceEmbedder,
        seed: int,
    ) -> _Pools:  # fmt: skip
        half = halves[reader.documents(reader.read_rows)]
        rows = {}
        for side in (FIT, TEST):
            every = reader.read_rows[half == side]
            n = min(OTHERS, len(every))
            rows[side] = every[((np.arange(n) + 0.5) * len(every) / max(n, 1)).astype(np.int64)]
        embedded = {
            side: embedder.embed(reader.words(chosen)).numpy()
            for side, chosen in rows.items()
            if len(chosen)
        }
        return cls(rows, embedded, seed, {})

    def null(self, n_fit: int, n_test: int) -> float:
        """Return the mean area where nothing belongs together."""
        sizes = (n_fit, n_test)
        if sizes not in self.known:
            random = np.random.default_rng((self.seed, *sizes))
            areas = []
            for _ in range(NULL_DRAWS):
                fit = random.permutation(self.embedded[FIT])[:n_fit]
                test = random.permutation(self.embedded[TEST])
                areas.append(centroid_auc(fit, test[:n_test], test[n_test:]))
            self.known[sizes] = float(np.mean(areas))
        return self.known[sizes]
