"""The strongest firings of every feature, at most one per window, kept while streaming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from app.ml.feature_discovery.sorted_runs import run_starts
from app.ml.sae_training.selection import rising_bits, true_places

CANDIDATE_DTYPE = np.dtype([("latent", "<i4"), ("window", "<i4"), ("row", "<i8"), ("value", "<f4")])
MIN_WAITING = 1 << 18

Columns = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""Of firings: latents and windows int32, rows int64, values float32."""


class TopContexts:
    """Keeps the ``n_keep`` strongest windows per latent (or per any other group of firings).

    A firing below its latent's current n-th best is dropped at once, so after the first chunks
    almost nothing reaches the sort: about n (1 + ln(fires / n)) firings per latent ever do. Those
    wait until they are half as many as what is kept, or the sorts of all that is kept would be
    most of a pass over a large dictionary.

    Args:
        n_latents: Number of groups.
        n_keep: Windows kept of each.
        floor: Values at or below it are never kept.
        device: Where firings come from and candidates are sorted.
    """

    def __init__(
        self, n_latents: int, n_keep: int, floor: float = 0.0,
        device: torch.device | str = "cpu",
    ) -> None:  # fmt: skip
        self.n_keep = n_keep
        self.threshold_F = torch.full((n_latents,), floor, device=device)
        self._kept = _columns(np.empty(0, dtype=CANDIDATE_DTYPE), device)
        self._waiting: list[Columns] = []
        self._n_waiting = 0
        self._table: npt.NDArray[Any] | None = None
        self._bounds_F: npt.NDArray[np.int64] | None = None

    def add(
        self, latents: torch.Tensor, values: torch.Tensor, rows: torch.Tensor,
        windows: torch.Tensor,
    ) -> None:  # fmt: skip
        """Offer firings; ``rows`` numbers their tokens, ``windows`` the windows they lie in."""
        strong = true_places(values > self.threshold_F.index_select(0, latents))
        latents, windows, rows, values = (
            column.index_select(0, strong) for column in (latents, windows, rows, values)
        )
        self._waiting.append((latents.int(), windows, rows, values))
        self._n_waiting += len(strong)
        self._table = self._bounds_F = None
        if self._n_waiting > max(MIN_WAITING, len(self._kept[0]) // 2):
            self._merge()

    @property
    def kept(self) -> npt.NDArray[Any]:
        """What is kept, by latent and then strongest first, as ``CANDIDATE_DTYPE``."""
        if self._table is None:
            self._merge()
            self._table = np.empty(len(self._kept[0]), dtype=CANDIDATE_DTYPE)
            for name, column in zip(("latent", "window", "row", "value"), self._kept, strict=True):
                self._table[name] = column.cpu().numpy()
        return self._table

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return {"threshold": self.threshold_F.cpu().numpy(), "kept": self.kept}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        device = self.threshold_F.device
        self.threshold_F = torch.from_numpy(state["threshold"]).to(device)
        self._kept = _columns(state["kept"], device)
        self._table = self._bounds_F = None

    def of(self, latent: int) -> npt.NDArray[Any]:
        """Return what is kept of one latent, strongest first."""
        return self.of_range(latent, latent + 1)

    def of_range(self, first: int, last: int) -> npt.NDArray[Any]:
        """Return what is kept of the latents from ``first`` up to before ``last``, in order."""
        kept = self.kept
        if self._bounds_F is None:
            # Once for all: a bisection per latent would copy this strided column every time.
            groups = np.arange(len(self.threshold_F) + 1)
            latents = np.ascontiguousarray(kept["latent"], dtype=np.int64)
            self._bounds_F = np.searchsorted(latents, groups)
        return kept[self._bounds_F[first] : self._bounds_F[last]]

    def settle(self) -> None:
        """Sort what waits and find where each latent's entries lie."""
        self.of_range(0, 0)

    def _merge(self) -> None:
        if not self._waiting:
            return
        latents, windows, rows, values = (
            torch.cat(column) for column in zip(self._kept, *self._waiting, strict=True)
        )
        self._waiting, self._n_waiting = [], 0
        best = best_per_window(latents, windows, values)
        latents, values = latents[best], values[best]
        # Stable: of equal values the one with the lower window, and so the lower row, comes first.
        keys, order = _descending_keys(latents, values).sort(stable=True)
        ranks = rank_within(keys >> 32, len(self.threshold_F))
        chosen = order[true_places(ranks < self.n_keep)]
        self._kept = (latents[chosen], windows[best[chosen]], rows[best[chosen]], values[chosen])
        last = order[true_places(ranks == self.n_keep - 1)]
        self.threshold_F[latents[last].long()] = values[last]


def best_per_window(
    latents: torch.Tensor, windows: torch.Tensor, values: torch.Tensor
) -> torch.Tensor:
    """Return the place of each latent's strongest firing per window; of equals the first.

    They come by latent and window. Firings of a window come in the order of their rows.
    """
    keys, order = ((latents.long() << 32) | windows).sort(stable=True)
    values = values[order]
    groups = run_starts(keys).cumsum(0) - 1
    best = values.new_full((len(values),), -torch.inf).scatter_reduce_(0, groups, values, "amax")
    places = true_places(values == best.index_select(0, groups))
    return order[places[run_starts(groups[places])]]


def _columns(candidates: npt.NDArray[Any], device: torch.device | str) -> Columns:
    columns = (candidates[name].copy() for name in ("latent", "window", "row", "value"))
    latents, windows, rows, values = (torch.from_numpy(column).to(device) for column in columns)
    return latents, windows, rows, values


def _descending_keys(latents: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return numbers that ascend with the latent and, within it, descend with the value."""
    return (latents.long() << 32) | ((1 << 31) - 1 - rising_bits(values).long())


def rank_within(sorted_groups: torch.Tensor, n_groups: int) -> torch.Tensor:
    """Return each entry's place within its run of equal group numbers, int64."""
    counts = torch.bincount(sorted_groups, minlength=n_groups)
    starts = counts.cumsum(0) - counts
    places = torch.arange(len(sorted_groups), device=sorted_groups.device)
    return places - starts.index_select(0, sorted_groups)


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
