"""Steering only where a feature fires. B batch rows, S tokens of a pass, N steered values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from app.ml.errors import NoEffect, SteeringInvalid
from app.ml.language_models.hook_points import resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.steering.latents import Latent, LatentReader
from app.ml.steering.places import ForwardPass, PlacesOfPasses


@dataclass(frozen=True, eq=False)
class Condition:
    """Steer only the positions at which ``latent`` exceeds ``threshold`` (activation units).

    It is read in the very pass that steers, in the state of that position before it is edited.
    """

    latent: Latent
    threshold: float = 0.0

    def why_never_met(self, largest: float, n_read: int) -> NoEffect:
        """Return the error of a run in which no position met it."""
        return NoEffect(
            f"The condition was never met: feature {self.latent.index} (layer "
            f"{self.latent.layer}) reached {largest:.3g} at most over the {n_read} positions that "
            f"could be steered, and it must exceed {self.threshold:g}. Lower the threshold, choose "
            "a text in which the feature fires, or leave the condition out."
        )


def check_condition(condition: Condition, layers: Sequence[int]) -> None:
    """Refuse a condition that cannot be known when the edits at ``layers`` are made.

    Raises:
        SteeringInvalid: with one sentence on what to change.
    """
    if not (math.isfinite(condition.threshold) and condition.threshold >= 0):
        raise SteeringInvalid("The condition's threshold must be 0 or a finite number above it.")
    latent, last = condition.latent, condition.latent.dictionary.d_sae - 1
    if not 0 <= latent.index <= last:
        raise SteeringInvalid(
            f"Feature {latent.index} of the condition does not exist; there are 0 to {last}."
        )
    if layers and latent.layer > min(layers):
        raise _comes_later(latent, f"layer {min(layers)}")


def _comes_later(latent: Latent, edited: str) -> SteeringInvalid:
    return SteeringInvalid(
        f"The condition is read at {latent.hook_type} of layer {latent.layer}, which the model "
        f"computes after the edit at {edited}: it is not known yet when the edit is made. Use a "
        "feature of the same or an earlier place as the condition, or steer later."
    )


class Gate:
    """Reads a condition once per pass, before any edit, and remembers what it read.

    Args:
        condition: What must hold.
        loaded: The model.
        acts: Whether each plan edits anything anywhere.
        n_texts: How many texts its readings belong to.

    Raises:
        HookPointNotFound: the place of its latent does not exist.
    """

    def __init__(
        self, condition: Condition, loaded: LoadedModel, acts: Sequence[bool], n_texts: int
    ) -> None:
        latent = condition.latent
        self.condition = condition
        self.point = resolve_hook_point(loaded.model, latent.layer, latent.hook_type)
        self.current: ForwardPass | None = None
        self._reader = LatentReader(latent.dictionary, [latent.index], loaded.device)
        self._places = PlacesOfPasses(acts, loaded.device)
        self._noted: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        self._readings: list[list[tuple[int, float]]] = [[] for _ in range(n_texts)]

    def read(self, value_BSD: torch.Tensor) -> None:
        """Note in the pass where the condition holds; the value itself is left as it is."""
        now = self.current
        if now is None:
            return
        n_rows, length, width = value_BSD.shape
        now.is_open = torch.zeros(n_rows * length, dtype=torch.bool, device=value_BSD.device)
        places = self._places.of(now)
        if places is None:
            return
        state_ND = value_BSD.reshape(-1, width).index_select(0, places.flat_N).float()
        latent_N = self._reader.read(state_ND)[:, 0]
        now.is_open[places.flat_N] = latent_N > self.condition.threshold
        if now.counts:
            position_N = now.first + places.flat_N % length
            noted = (places.texts_N, position_N, latent_N)
            if places.fresh_N is not None:
                texts_N, position_N, latent_N = noted
                fresh_N = places.fresh_N
                noted = (texts_N[fresh_N], position_N[fresh_N], latent_N[fresh_N])
            self._noted.append(noted)
            self._places.note_counted(now)

    def opened(self, now: ForwardPass, flat_N: torch.Tensor, place: str) -> torch.Tensor:
        """Return which of these values may be steered, bool (N,).

        Raises:
            SteeringInvalid: the condition's place comes later in the model than ``place``.
        """
        if now.is_open is None:
            raise _comes_later(self.condition.latent, place)
        return now.is_open[flat_N]

    def readings(self, t: int) -> list[tuple[int, float]]:
        """Return absolute position and activation wherever text ``t`` might have been steered."""
        self._settle()
        return self._readings[t]

    def opened_positions(self, t: int) -> set[int]:
        return {p for p, value in self.readings(t) if value > self.condition.threshold}

    def share(self, source_T: Sequence[int]) -> None:
        """Give every text what was read of the text that stood for it."""
        self._settle()
        self._readings = [list(self._readings[source]) for source in source_T]

    def _settle(self) -> None:
        if not self._noted:
            return
        texts, positions, values = (torch.cat(c).tolist() for c in zip(*self._noted, strict=True))
        self._noted.clear()
        for t, position, value in zip(texts, positions, values, strict=True):
            self._readings[t].append((position, value))
