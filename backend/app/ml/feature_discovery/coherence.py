"""Whether a feature's contexts are alike in meaning: told from other text by sentence embeddings.

Needs a sentence embedder, which is an extra package; without it nothing here runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from app.ml.errors import Stopped
from app.ml.feature_discovery.contexts import ContextReader
from app.ml.feature_discovery.other_contexts import (
    KINDS,
    Embeddings,
    Kind,
    Others,
    Pools,
    Rows,
    Silent,
)
from app.ml.feature_discovery.separation import Scored, Separation, separate, together
from app.ml.feature_discovery.token_counts import FIT, TEST
from app.ml.records import Progress, Report, ShouldStop
from app.ml.sentence_embedding import SentenceEmbedder

CONTEXTS = 32
"""Compared of each feature: half of them its strongest, half of all strengths."""
MIN_CONTEXTS = 5
"""Fewer in a half of the documents, or of a kind of negatives, say nothing."""
FEATURES_AT_ONCE = 16
"""Whose texts are embedded as one stream; a stop is heard between two of these."""
NULL_SUBJECTS = 12
NULL_SEED = 1 << 31
"""Draws of the null begin behind those of every feature."""

Areas = dict[Kind, Separation]


@dataclass(frozen=True)
class Coherence:
    """Against all negatives together, and against each kind that there was enough of.

    ``null`` is the mean area of as many contexts drawn from anywhere, treated alike.
    """

    whole: Separation
    kinds: Areas
    null: float
    n_fit: int


@dataclass(frozen=True)
class _Subject:
    """Contexts in both halves of the documents, and silent ones at the same tokens, embedded."""

    fit_rows: Rows
    fit: Embeddings
    test_rows: Rows
    test: Embeddings
    same: Others


def measure_coherence(
    reader: ContextReader,
    halves: npt.NDArray[np.int8],
    contexts: dict[int, Rows],
    embedder: SentenceEmbedder,
    seed: int,
    report: Report,
    should_stop: ShouldStop,
) -> dict[int, Coherence]:
    """Measure features on documents that their mean direction has not seen.

    Args:
        reader: Of the pass.
        halves: FIT or TEST of each document of the token store.
        contexts: Rows of contexts by feature; the first ``CONTEXTS`` are compared.
        embedder: Embeds the contexts' text.
        seed: Of all draws.
        report: Gets progress in features.
        should_stop: Asked before each ``FEATURES_AT_ONCE`` features.

    Raises:
        Stopped: ``should_stop`` said so.
    """
    if not contexts:
        return {}
    meter = _Meter(Pools.of(reader, halves, embedder), halves, seed)
    found: dict[int, Coherence] = {}
    indices = [*contexts]
    for done in range(0, len(indices), FEATURES_AT_ONCE):
        if should_stop():
            raise Stopped("Feature discovery was stopped.")
        report(Progress(done, len(indices), "features", "Comparing contexts"))
        chosen = {index: contexts[index] for index in indices[done : done + FEATURES_AT_ONCE]}
        for index, subject in meter.subjects(chosen).items():
            measured = meter.measure(index, subject)
            if measured is not None:
                found[index] = measured
    return found


class _Meter:
    """Measures features, and subjects of no meaning for comparison."""

    def __init__(self, pools: Pools, halves: npt.NDArray[np.int8], seed: int) -> None:
        self._pools, self._halves, self._seed = pools, halves, seed
        self._known: dict[tuple[int, int], float] = {}

    def subjects(self, contexts: dict[int, Rows]) -> dict[int, _Subject]:
        """Embed features' contexts together; those with too few in a half are left out."""
        groups: dict[int, tuple[Rows, Rows, Rows]] = {}
        for index, rows in contexts.items():
            chosen = rows[:CONTEXTS]
            half = self._halves[self._pools.reader.documents(chosen)]
            fit_rows, test_rows = chosen[half == FIT], chosen[half == TEST]
            if min(len(fit_rows), len(test_rows)) >= MIN_CONTEXTS:
                same = self._pools.with_same_token(fit_rows, self._silent(index))
                groups[index] = (fit_rows, test_rows, same)
        embedded = iter(self._pools.embed([rows for group in groups.values() for rows in group]))
        return {
            index: _Subject(fit, next(embedded), test, next(embedded), Others(same, next(embedded)))
            for index, (fit, test, same) in groups.items()
        }

    def measure(self, index: int, subject: _Subject) -> Coherence | None:
        negatives = self._negatives(subject, self._silent(index), index)
        if negatives is None:
            return None
        kinds = {kind: self._separate(subject, [others]) for kind, others in negatives.items()}
        return Coherence(
            self._separate(subject, list(negatives.values())),
            kinds,
            self._null(len(subject.fit), len(subject.test)),
            len(subject.fit),
        )

    def _silent(self, index: int) -> Silent:
        return lambda rows: self._pools.reader.strongest(index, rows) <= 0

    def _negatives(
        self, subject: _Subject, silent: Silent, number: int
    ) -> dict[Kind, Others] | None:
        random = np.random.default_rng((self._seed, number))
        taken = self._pools.negatives(subject.same, subject.test, silent, random)
        usable = {kind: taken[kind] for kind in KINDS if len(taken[kind].rows) >= MIN_CONTEXTS}
        return usable if "random" in usable else None

    def _separate(self, subject: _Subject, negatives: list[Others]) -> Separation:
        direction = subject.fit.mean(axis=0)
        documents = self._pools.reader.documents
        own = Scored(subject.test @ direction, documents(subject.test_rows))
        others = [Scored(o.embedded @ direction, documents(o.rows)) for o in negatives]
        return separate(own, together(others), self._seed)

    def _null(self, n_fit: int, n_test: int) -> float:
        """Return the mean area where nothing belongs together."""
        sizes = (n_fit, n_test)
        if sizes not in self._known:
            areas = []
            for subject, negatives in self._subjects:
                fewer = _Subject(
                    subject.fit_rows[:n_fit], subject.fit[:n_fit],
                    subject.test_rows[:n_test], subject.test[:n_test], subject.same,
                )  # fmt: skip
                areas.append(self._separate(fewer, list(negatives.values())).area)
            self._known[sizes] = float(np.mean(areas)) if areas else 0.5
        return self._known[sizes]

    @cached_property
    def _subjects(self) -> list[tuple[_Subject, dict[Kind, Others]]]:
        """Contexts drawn from anywhere with negatives of the same kinds."""
        random = np.random.default_rng(self._seed)
        drawn = [[self._draw(side, random) for side in (FIT, TEST)] for _ in range(NULL_SUBJECTS)]
        same = [self._pools.with_same_token(fit[0], _outside(test[0])) for fit, test in drawn]
        found = []
        for number, ((fit, test), rows, embedded) in enumerate(
            zip(drawn, same, self._pools.embed(same), strict=True)
        ):
            subject = _Subject(*fit, *test, Others(rows, embedded))
            negatives = self._negatives(subject, _outside(test[0]), NULL_SEED + number)
            if negatives is not None:
                found.append((subject, negatives))
        return found

    def _draw(self, side: int, random: np.random.Generator) -> tuple[Rows, Embeddings]:
        chosen = random.permutation(len(self._pools.rows[side]))[:CONTEXTS]
        return self._pools.rows[side][chosen], self._pools.embedded[side][chosen]


def _outside(own: Rows) -> Silent:
    """Take for silent what does not belong to a subject of the null."""
    return lambda rows: ~np.isin(rows, own)
