"""A few firings of every strength per feature, not only the strongest."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from app.ml.feature_discovery.statistics import LOWEST_OCTAVE, N_OCTAVES
from app.ml.feature_discovery.top_contexts import TopContexts

_FIRST, _SECOND, _THIRD = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


class IntervalSamples:
    """A reservoir of ``n_keep`` firings per latent and octave of its activation.

    Octave o holds values from ``2^o`` up to ``2^(o + 1)``, from -10 to 13; the end octaves hold
    what lies beyond them. Which firings are kept is decided by a hash of latent, row and seed, so
    it depends neither on the order of the pass nor on where it was resumed; at most one firing
    per window and octave.
    """

    def __init__(
        self, n_latents: int, n_keep: int, seed: int, device: torch.device | str = "cpu"
    ) -> None:
        self._seed = seed
        self._kept = TopContexts(n_latents * N_OCTAVES, n_keep, device=device)

    def add(
        self, latents: torch.Tensor, values: torch.Tensor, rows: torch.Tensor,
        windows: torch.Tensor,
    ) -> None:  # fmt: skip
        """Offer firings, as ``TopContexts.add``."""
        if self._kept.n_keep:
            keys = hash_keys(latents, rows, self._seed)
            self._kept.add(latents * N_OCTAVES + octave_places(values), keys, rows, windows)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return self._kept.state()

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._kept.restore(state)

    def settle(self) -> None:
        self._kept.settle()

    def of(self, latent: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return rows and octaves of a latent's samples, the strongest octave first."""
        chosen = self._kept.of_range(latent * N_OCTAVES, (latent + 1) * N_OCTAVES)
        octaves = chosen["latent"].astype(np.int64) - latent * N_OCTAVES + LOWEST_OCTAVE
        order = np.lexsort((chosen["row"], -octaves))
        return chosen["row"].astype(np.int64)[order], octaves[order]


def octave_places(values: torch.Tensor) -> torch.Tensor:
    """Return which of the ``N_OCTAVES`` octaves holds each value above zero, int64."""
    exponents = torch.frexp(values).exponent.long() - 1
    return (exponents - LOWEST_OCTAVE).clamp_(0, N_OCTAVES - 1)


def hash_keys(latents: torch.Tensor, rows: torch.Tensor, seed: int) -> torch.Tensor:
    """Return a pseudo-random float32 in (0, 1] for each pair (splitmix64's finisher).

    Products of int64 keep the lower 64 bits, as unsigned ones would.
    """
    first, second, third = (_signed(factor) for factor in (_FIRST, _SECOND, _THIRD))
    mixed = rows * first
    mixed ^= (latents + _signed((seed * _THIRD + 1) % 2**64)).mul_(second)
    for factor in (second, third):
        mixed ^= _shifted(mixed, 31)
        mixed *= factor
    mixed ^= _shifted(mixed, 31)
    return _shifted(mixed, 40).float().add_(1).mul_(2.0**-24)


def _signed(unsigned: int) -> int:
    return unsigned - 2**64 if unsigned >= 2**63 else unsigned


def _shifted(numbers: torch.Tensor, places: int) -> torch.Tensor:
    """Shift to the right and fill up with zeros, as unsigned numbers are."""
    return (numbers >> places).bitwise_and_((1 << (64 - places)) - 1)
