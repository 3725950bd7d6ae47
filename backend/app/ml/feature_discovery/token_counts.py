"""How often every feature fires on every token: exact, sparse, in two halves of the documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FIT, TEST = 0, 1
TEST_PERCENT = 40
MAX_PAIRS = 16_000_000
"""Pairs held; 20 bytes each. Beyond it each latent keeps its ``KEPT_PER_LATENT`` most frequent."""
KEPT_PER_LATENT = 64
BUFFERED_FIRINGS = 4_000_000


def document_halves(doc_numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """Assign each document to FIT or TEST (40 %) by a hash of its number in the corpus.

    A rule that is chosen on one half and judged on the other has seen none of its documents.
    """
    mixed = (doc_numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    share = (mixed >> np.uint64(32)) % np.uint64(100)
    return np.where(share < TEST_PERCENT, TEST, FIT).astype(np.int8)


@dataclass(frozen=True)
class TokenTable:
    """Firings per latent and token, sorted by latent.

    ``counts`` (n, 2) int64 in the FIT and the TEST half, ``sums`` float64 of the activations over
    both. ``totals`` (vocabulary, 2) int64 counts every read token. ``dropped`` is the largest
    count that a pruned pair may have had: 0 means that every count is exact.
    """

    latents: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float64]
    totals: npt.NDArray[np.int64]
    dropped: int

    def bounds(self, n_latents: int) -> npt.NDArray[np.int64]:
        """Return where each latent's entries begin, and the end: (F + 1,)."""
        return np.searchsorted(self.latents, np.arange(n_latents + 1)).astype(np.int64)


class TokenCounts:
    """Counts pairs while streaming; buffers are merged when they outgrow what is kept."""

    def __init__(self, vocabulary: int) -> None:
        self.vocabulary = vocabulary
        self.totals = np.zeros((vocabulary, 2), dtype=np.int64)
        self.dropped = 0
        self._keys = np.empty(0, dtype=np.int64)
        self._counts = np.empty(0, dtype=np.int32)
        self._sums = np.empty(0, dtype=np.float64)
        self._buffer: list[tuple[npt.NDArray[Any], ...]] = []
        self._buffered = 0

    def add_tokens(self, tokens: npt.NDArray[np.int64], halves: npt.NDArray[np.int8]) -> None:
        """Count the tokens of a batch, whether anything fires on them or not."""
        flat = np.bincount(tokens * 2 + halves, minlength=self.vocabulary * 2)
        self.totals += flat.reshape(-1, 2)

    def add(
        self,
        latents: npt.NDArray[np.int64],
        values: npt.NDArray[np.float32],
        tokens: npt.NDArray[np.int64],
        halves: npt.NDArray[np.int8],
    ) -> None:
        """Count firings; ``tokens`` and ``halves`` are those of each firing's row."""
        keys = (latents * self.vocabulary + tokens) * 2 + halves
        part = _sum_by_key(keys, np.ones(len(keys), np.int32), values.astype(np.float64))
        self._buffer.append(part)
        self._buffered += len(part[0])
        if self._buffered > max(BUFFERED_FIRINGS, len(self._keys) // 2):
            self._merge()

    def _merge(self) -> None:
        parts = [(self._keys, self._counts, self._sums), *self._buffer]
        joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
        self._keys, self._counts, self._sums = _sum_by_key(*joined)
        self._buffer, self._buffered = [], 0
        if len(self._keys) > MAX_PAIRS:
            self._prune()

    def _prune(self) -> None:
        latents = self._keys // (2 * self.vocabulary)
        order = np.lexsort((-self._counts, latents))
        starts = np.searchsorted(latents, latents)
        keep = np.zeros(len(latents), dtype=bool)
        keep[order] = np.arange(len(latents)) - starts < KEPT_PER_LATENT
        if not keep.all():
            self.dropped += int(self._counts[~keep].max())
        self._keys, self._counts = self._keys[keep], self._counts[keep]
        self._sums = self._sums[keep]

    def state(self) -> dict[str, npt.NDArray[Any]]:
        self._merge()
        return {
            "keys": self._keys, "counts": self._counts, "sums": self._sums,
            "totals": self.totals, "dropped": np.array(self.dropped),
        }  # fmt: skip

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._keys, self._counts, self._sums = state["keys"], state["counts"], state["sums"]
        self.totals, self.dropped = state["totals"], int(state["dropped"])

    def table(self) -> TokenTable:
        self._merge()
        pairs, place = np.unique(self._keys // 2, return_inverse=True)
        counts = np.zeros((len(pairs), 2), dtype=np.int64)
        counts[place, self._keys % 2] = self._counts
        sums = np.zeros(len(pairs))
        np.add.at(sums, place, self._sums)
        latents, tokens = np.divmod(pairs, self.vocabulary)
        return TokenTable(latents, tokens, counts, sums, self.totals, self.dropped)


def _sum_by_key(
    keys: npt.NDArray[np.int64], counts: npt.NDArray[np.int32], values: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    if not len(keys):
        return keys, counts, values
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return (
        ordered[starts],
        np.add.reduceat(counts[order], starts),
        np.add.reduceat(values[order], starts),
    )
