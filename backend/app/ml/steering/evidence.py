"""What the hooks noted of their edits: how many, how large. N steered values, T texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import torch

from app.ml.errors import SteeringInvalid

MAX_RATIO = 100.0
"""A delta this many times the hidden state leaves nothing of the model's own; refused."""
SMALLEST_NORM = 1e-12


@dataclass(frozen=True)
class StateNorms:
    """Of the states that were steered at one place: mean norm, and mean of 1 / norm."""

    mean: float
    mean_inverse: float


class Evidence:
    """Norms of the deltas and of the states they were added to.

    They are noted as they come and looked at now and then: with every token the sums would cost
    more than the edit itself, and on a GPU the host would wait for each of them.
    """

    def __init__(self, n_texts: int, device: torch.device) -> None:
        self._sums_T4 = torch.zeros(n_texts, 4, dtype=torch.float64, device=device)
        self._norms_T3: dict[str, torch.Tensor] = {}
        self._noted: list[tuple[str, *tuple[torch.Tensor, ...]]] = []
        self._n_notes = 0

    def add(
        self,
        place: str,
        texts_N: torch.Tensor,
        delta_N: torch.Tensor,
        norm_N: torch.Tensor,
        opened_N: torch.Tensor | None = None,
    ) -> None:
        """Note the norms of deltas at a place and of their states, and their texts.

        Where a condition did not hold (``opened_N`` false) nothing was steered: the delta is zero
        and is not counted.
        """
        opened_N = torch.ones_like(texts_N, dtype=torch.bool) if opened_N is None else opened_N
        self._noted.append((place, texts_N, delta_N, norm_N, opened_N))
        self._n_notes += 1

    def sums(self) -> torch.Tensor:
        """Return n, changed, delta and delta / state of each text, float64 (T, 4).

        Raises:
            SteeringInvalid: a delta was too large, or not finite.
        """
        if self._noted:
            places, *columns = zip(*self._noted, strict=True)
            texts_N, delta_N, norm_N, opened_N = (torch.cat(column) for column in columns)
            ratio_N = delta_N / norm_N.clamp_min(SMALLEST_NORM)
            if not bool((ratio_N <= MAX_RATIO).all()):
                _refuse(places, columns)
            rows = (opened_N.to(delta_N), (delta_N > 0).to(delta_N), delta_N, ratio_N)
            added_N4 = torch.stack(rows, dim=1).double()
            self._sums_T4 = self._sums_T4.index_add(0, texts_N, added_N4)
            for place in dict.fromkeys(places):
                self._add_norms(
                    place, [n for n, other in enumerate(places) if other == place], columns
                )
            self._noted.clear()
        return self._sums_T4

    def _add_norms(
        self, place: str, notes: Sequence[int], columns: Sequence[Sequence[torch.Tensor]]
    ) -> None:
        texts_N, _, norm_N, opened_N = (torch.cat([c[n] for n in notes]) for c in columns)
        norm_N = norm_N.double().clamp_min(SMALLEST_NORM)
        added_N3 = torch.stack((torch.ones_like(norm_N), norm_N, 1 / norm_N), dim=1)
        added_N3 = torch.where(opened_N.unsqueeze(1), added_N3, 0.0)
        before_T3 = self._norms_T3.get(place, torch.zeros_like(self._sums_T4[:, :3]))
        self._norms_T3[place] = before_T3.index_add(0, texts_N, added_N3)

    def norms_at(self, place: str, t: int) -> StateNorms | None:
        """Return the norms of text ``t``'s steered states at a place; None where it has none."""
        self.sums()
        if place not in self._norms_T3:
            return None
        n, norm, inverse = self._norms_T3[place][t].tolist()
        return StateNorms(norm / n, inverse / n) if n else None

    def share(self, source_T: Sequence[int]) -> None:
        """Give every text what was counted for the text that stood for it."""
        source = torch.tensor(source_T, device=self._sums_T4.device)
        self._sums_T4 = self.sums()[source]
        self._norms_T3 = {place: sums_T3[source] for place, sums_T3 in self._norms_T3.items()}

    def check_now_and_then(self) -> None:
        """Look at the first note, the second, the fourth, the eighth and so on.

        Raises:
            SteeringInvalid: a delta was too large, or not finite.
        """
        if self._n_notes & (self._n_notes - 1) == 0:
            self.sums()


def _refuse(places: Sequence[str], columns: Sequence[Sequence[torch.Tensor]]) -> NoReturn:
    _, deltas, norms, _ = columns
    for place, delta_N, norm_N in zip(places, deltas, norms, strict=True):
        if not len(delta_N):  # nothing new was steered in that pass
            continue
        ratio = (delta_N / norm_N.clamp_min(SMALLEST_NORM)).amax().item()
        if not ratio <= MAX_RATIO:
            size = f"{ratio:.0f} times as large as" if ratio == ratio else "not finite against"
            raise SteeringInvalid(
                f"The change is {size} the hidden state at {place}; nothing of the model's own "
                "would be left. Use a smaller coefficient (about 0.5 times the state is already "
                "strong)."
            )
    raise AssertionError("one of them was too large")
