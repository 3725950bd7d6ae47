"""How often every feature fires on every token: exact, sparse, in two halves of the documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from app.ml.feature_discovery.sorted_runs import run_starts, sums_by_key

FIT, TEST = 0, 1
TEST_PERCENT = 40
MAX_PAIRS = 16_000_000
"""Pairs held; 20 bytes each. Beyond it each latent keeps its ``KEPT_PER_LATENT`` most frequent."""
KEPT_PER_LATENT = 64
BUFFERED_FIRINGS = 4_000_000

Pairs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Keys int64 (latent, token, half), counts int32, sums of activation float64."""


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

    def __init__(self, vocabulary: int, device: torch.device | str = "cpu") -> None:
        self.vocabulary = vocabulary
        self.totals = np.zeros((vocabulary, 2), dtype=np.int64)
        self.dropped = 0
        self._device = device
        self._pairs: Pairs = (
            torch.empty(0, dtype=torch.int64, device=device),
            torch.empty(0, dtype=torch.int32, device=device),
            torch.empty(0, dtype=torch.float64, device=device),
        )
        self._waiting: list[Pairs] = []
        self._n_waiting = 0

    def add_tokens(self, tokens: npt.NDArray[np.int64], halves: npt.NDArray[np.int8]) -> None:
        """Count the tokens of a batch, whether anything fires on them or not."""
        flat = np.bincount(tokens * 2 + halves, minlength=self.vocabulary * 2)
        self.totals += flat.reshape(-1, 2)

    def add(self, latents: torch.Tensor, values: torch.Tensor, sides: torch.Tensor) -> None:
        """Count firings.

        Args:
            latents: int64, on the device.
            values: float32.
            sides: int64, 2 x token + half of each firing's row.
        """
        part = sums_by_key(latents * (2 * self.vocabulary) + sides, None, values)
        self._waiting.append(part)
        self._n_waiting += len(part[0])
        if self._n_waiting > max(BUFFERED_FIRINGS, len(self._pairs[0]) // 2):
            self._merge()

    def _merge(self) -> None:
        if not self._waiting:
            return
        joined = [torch.cat(column) for column in zip(self._pairs, *self._waiting, strict=True)]
        self._waiting, self._n_waiting = [], 0
        self._pairs = sums_by_key(*joined)
        if len(self._pairs[0]) > MAX_PAIRS:
            self._prune()

    def _prune(self) -> None:
        keys, counts, _ = self._pairs
        latents = keys // (2 * self.vocabulary)
        # Most frequent first within a latent; of equals the lower token.
        order = ((latents << 32) + (2**31 - 1 - counts.long())).sort(stable=True).indices
        starts = torch.searchsorted(latents, latents)
        keep = torch.zeros_like(latents, dtype=torch.bool)
        keep[order] = torch.arange(len(latents), device=keep.device) - starts < KEPT_PER_LATENT
        if not bool(keep.all()):
            self.dropped += int(counts[~keep].max())
        self._pairs = (keys[keep], counts[keep], self._pairs[2][keep])

    def state(self) -> dict[str, npt.NDArray[Any]]:
        self._merge()
        keys, counts, sums = (column.cpu().numpy() for column in self._pairs)
        return {
            "keys": keys, "counts": counts, "sums": sums,
            "totals": self.totals, "dropped": np.array(self.dropped),
        }  # fmt: skip

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        keys, counts, sums = (
            torch.from_numpy(state[name]).to(self._device) for name in ("keys", "counts", "sums")
        )
        self._pairs = (keys, counts, sums)
        self.totals, self.dropped = state["totals"], int(state["dropped"])

    def table(self) -> TokenTable:
        self._merge()
        keys, halved, summed = self._pairs
        pairs = keys >> 1
        starts = run_starts(pairs)
        place = starts.cumsum(0) - 1
        distinct = pairs[starts]
        counts = torch.zeros(len(distinct), 2, dtype=torch.int64, device=keys.device)
        counts[place, keys & 1] = halved.long()
        sums = summed.new_zeros(len(distinct)).index_add_(0, place, summed)
        latents = distinct // self.vocabulary
        tokens = distinct - latents * self.vocabulary
        return TokenTable(
            latents.cpu().numpy(), tokens.cpu().numpy(), counts.cpu().numpy(), sums.cpu().numpy(),
            self.totals, self.dropped,
        )  # fmt: skip
