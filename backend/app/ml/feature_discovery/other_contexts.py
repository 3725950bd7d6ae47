"""Contexts in which a feature is silent, of three kinds: any, the same token, near in meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.ml.feature_discovery.contexts import ContextReader
from app.ml.feature_discovery.token_counts import FIT, TEST
from app.ml.sentence_embedding import SentenceEmbedder

Kind = Literal["random", "same_token", "near_meaning"]
KINDS: tuple[Kind, ...] = ("random", "same_token", "near_meaning")
POOL = 300
"""Evenly chosen contexts in each half of the documents, from which negatives are taken."""
PER_KIND = 12
TRIED_PER_KIND = 4
"""Contexts looked at for each one wanted: in most of those with its token the feature fires."""

Rows = npt.NDArray[np.int64]
Embeddings = npt.NDArray[np.float32]
Silent = Callable[[Rows], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Others:
    """Rows and embeddings of one kind of negatives."""

    rows: Rows
    embedded: Embeddings


@dataclass(frozen=True)
class Pools:
    """Embedded contexts of both halves of the documents, and which tokens stand where."""

    reader: ContextReader
    embedder: SentenceEmbedder
    rows: dict[int, Rows]
    embedded: dict[int, Embeddings]
    test_rows: Rows
    test_tokens: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, reader: ContextReader, halves: npt.NDArray[np.int8], embedder: SentenceEmbedder
    ) -> Pools:
        half = halves[reader.documents(reader.read_rows)]
        rows = {side: evenly(reader.read_rows[half == side], POOL) for side in (FIT, TEST)}
        test_rows = reader.read_rows[half == TEST]
        tokens = reader.peak_tokens(test_rows)
        order = np.argsort(tokens, kind="stable")
        return cls(
            reader,
            embedder,
            rows,
            dict(zip(rows, embed(reader, embedder, [*rows.values()]), strict=True)),
            test_rows[order],
            tokens[order],
        )

    def embed(self, groups: Sequence[Rows]) -> list[Embeddings]:
        """Embed rows in one stream; the more at once, the fewer seconds for each."""
        return embed(self.reader, self.embedder, groups)

    def negatives(
        self, same: Others, test: Embeddings, silent: Silent, random: np.random.Generator
    ) -> dict[Kind, Others]:
        """Take up to ``PER_KIND`` contexts of each kind from the test half.

        Args:
            same: ``with_same_token`` of the feature, embedded.
            test: Embeddings of its contexts in the test half, to which some shall be near.
            silent: Whether the feature fires nowhere in the context of each row.
            random: Draws.
        """
        quiet = np.flatnonzero(silent(self.rows[TEST]))
        pool_rows, pool = self.rows[TEST][quiet], self.embedded[TEST][quiet]
        near = _nearest(test, pool)
        # Drawn among all and then thinned: should rounding make another context near, one differs.
        order = random.permutation(len(quiet))
        drawn = order[~np.isin(order, near)][:PER_KIND]
        return {
            "random": Others(pool_rows[drawn], pool[drawn]),
            "same_token": same,
            "near_meaning": Others(pool_rows[near], pool[near]),
        }

    def with_same_token(self, fit_rows: Rows, silent: Silent) -> Rows:
        """Take up to ``PER_KIND`` silent contexts of the test half at a token of the feature's.

        Args:
            fit_rows: The feature's contexts in the fit half; their strongest tokens are its tokens.
            silent: Whether the feature fires nowhere in the context of each row.
        """
        found = []
        for token in np.unique(self.reader.peak_tokens(fit_rows)):
            low, high = np.searchsorted(self.test_tokens, [token, token + 1])
            found.append(evenly(self.test_rows[low:high], TRIED_PER_KIND * PER_KIND))
        rows = evenly(np.sort(np.concatenate(found)), TRIED_PER_KIND * PER_KIND)
        return evenly(rows[silent(rows)], PER_KIND) if len(rows) else rows


def embed(
    reader: ContextReader, embedder: SentenceEmbedder, groups: Sequence[Rows]
) -> list[Embeddings]:
    """Embed the text of each row, all groups in one stream: (rows, 384) of norm 1 for each."""
    if not groups:
        return []
    embedded = embedder.embed(reader.words(np.concatenate(groups))).numpy()
    return np.split(embedded, np.cumsum([len(rows) for rows in groups])[:-1])


def evenly(rows: Rows, n: int) -> Rows:
    """Return ``n`` of the rows, evenly spaced; all of them if there are no more."""
    taken = min(n, len(rows))
    return rows[((np.arange(taken) + 0.5) * len(rows) / max(taken, 1)).astype(np.int64)]


def _nearest(test: Embeddings, pool: Embeddings) -> npt.NDArray[np.int64]:
    """Return the pool's nearest to each of ``test``, every one once: near, not scored so."""
    if not len(pool):
        return np.empty(0, dtype=np.int64)
    found: npt.NDArray[np.int64] = np.unique((test @ pool.T).argmax(axis=1))[:PER_KIND]
    return found
