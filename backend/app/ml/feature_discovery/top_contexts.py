"""The strongest firings of every feature, at most one per window, kept while streaming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

CANDIDATE_DTYPE = np.dtype([("latent", "<i4"), ("window", "<i4"), ("row", "<i8"), ("value", "<f4")])


class TopContexts:
    """Keeps the ``n_keep`` strongest windows per latent (or per any other group of firings).

    A firing below its latent's current n-th best is dropped at once, so after the first chunks
    almost nothing reaches the sort: about n (1 + ln(fires / n)) firings per latent ever do.

    Args:
        n_latents: Number of groups.
        n_keep: Windows kept of each.
        floor: Values at or below it are never kept.
    """

    def __init__(self, n_latents: int, n_keep: int, floor: float = 0.0) -> None:
        self.n_keep = n_keep
        self.threshold_F = np.full(n_latents, floor, dtype=np.float32)
        self.kept: npt.NDArray[Any] = np.empty(0, dtype=CANDIDATE_DTYPE)
        self._bounds_F: npt.NDArray[np.int64] | None = None

    def add(
        self,
        latents: npt.NDArray[np.int64],
        values: npt.NDArray[np.float32],
        rows: npt.NDArray[np.int64],
        windows: npt.NDArray[np.int32],
    ) -> None:
        """Offer firings; ``rows`` numbers their tokens, ``windows`` the windows they lie in."""
        strong = np.flatnonzero(values > self.threshold_F[latents])
        offered = np.empty(len(strong), dtype=CANDIDATE_DTYPE)
        offered["latent"], offered["value"] = latents[strong], values[strong]
        offered["row"], offered["window"] = rows[strong], windows[strong]
        merged = np.concatenate([self.kept, best_per_window(offered)])
        self.kept = self._strongest(best_per_window(merged))
        self._bounds_F = None
        self._raise_thresholds()

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return {"threshold": self.threshold_F, "kept": self.kept}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self.threshold_F, self.kept = state["threshold"], state["kept"]
        self._bounds_F = None

    def of(self, latent: int) -> npt.NDArray[Any]:
        """Return what is kept of one latent, strongest first."""
        return self.of_range(latent, latent + 1)

    def of_range(self, first: int, last: int) -> npt.NDArray[Any]:
        """Return what is kept of the latents from ``first`` up to before ``last``, in order."""
        if self._bounds_F is None:
            # Once for all: a bisection per latent would copy this strided column every time.
            groups = np.arange(len(self.threshold_F) + 1)
            latents = np.ascontiguousarray(self.kept["latent"], dtype=np.int64)
            self._bounds_F = np.searchsorted(latents, groups)
        return self.kept[self._bounds_F[first] : self._bounds_F[last]]

    def _strongest(self, candidates: npt.NDArray[Any]) -> npt.NDArray[Any]:
        # Stable: of equal values the one with the lower window, and so the lower row, comes first.
        order = np.argsort(_descending_keys(candidates), kind="stable")
        ordered = candidates[order]
        return ordered[rank_within(ordered["latent"]) < self.n_keep]

    def _raise_thresholds(self) -> None:
        if not self.n_keep:
            return
        last = self.kept[rank_within(self.kept["latent"]) == self.n_keep - 1]
        self.threshold_F[last["latent"]] = last["value"]


def best_per_window(candidates: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Keep each latent's strongest firing per window; of equals the first.

    Candidates come with the rows of a window in order. One sort by a packed number takes a third of
    the time of one by four columns.
    """
    if not len(candidates):
        return candidates
    keys = (candidates["latent"].astype(np.int64) << 32) | candidates["window"]
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], candidates["value"][order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    lengths = np.diff(np.r_[starts, len(keys)])
    best = np.repeat(np.maximum.reduceat(values, starts), lengths)
    places = np.flatnonzero(values == best)
    groups = np.repeat(np.arange(len(starts)), lengths)[places]
    first = np.r_[True, groups[1:] != groups[:-1]]
    return candidates[order[places[first]]]


def _descending_keys(candidates: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Return numbers that ascend with the latent and, within it, descend with the value."""
    bits = np.ascontiguousarray(candidates["value"] + np.float32(0)).view(np.uint32)  # no -0
    ascending = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    descending = ~ascending
    latents = candidates["latent"].astype(np.uint64) << np.uint64(32)
    return latents | descending.astype(np.uint64)


def rank_within(sorted_keys: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return each entry's place within its run of equal keys."""
    places = np.arange(len(sorted_keys))
    starts = np.flatnonzero(np.r_[True, sorted_keys[1:] != sorted_keys[:-1]][: len(sorted_keys)])
    lengths = np.diff(np.r_[starts, len(sorted_keys)])
    ranks: npt.NDArray[np.int64] = places - np.repeat(starts, lengths)
    return ranks


@dataclass(frozen=True)
class ChosenContexts:
    """The contexts of one feature, strongest first."""

    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]


def choose_distinct(
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
    documents: npt.NDArray[np.int64],
    texts: list[bytes],
    n: int,
) -> ChosenContexts:
    """Choose ``n`` contexts: other documents and other words first, then whatever is left.

    Args:
        rows: Strongest first.
        values: Activations of the rows.
        documents: Document of each row.
        texts: Token ids around each row; equal bytes are equal contexts and shown once.
        n: How many at most.
    """
    seen_texts: set[bytes] = set()
    seen_documents: set[int] = set()
    first_choice: list[int] = []
    second_choice: list[int] = []
    for place, (document, text) in enumerate(zip(documents.tolist(), texts, strict=True)):
        if text in seen_texts:
            continue
        seen_texts.add(text)
        (second_choice if document in seen_documents else first_choice).append(place)
        seen_documents.add(document)
    chosen = sorted((first_choice + second_choice)[:n])
    return ChosenContexts(rows[chosen], values[chosen])
