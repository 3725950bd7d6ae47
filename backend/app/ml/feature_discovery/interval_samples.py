"""A few firings of every strength per feature, not only the strongest."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.ml.feature_discovery.statistics import LOWEST_OCTAVE, N_OCTAVES
from app.ml.feature_discovery.top_contexts import TopContexts

_FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_THIRD, _SHIFT = np.uint64(0x94D049BB133111EB), np.uint64(31)


class IntervalSamples:
    """A reservoir of ``n_keep`` firings per latent and octave of its activation.

    Octave o holds values from ``2^o`` up to ``2^(o + 1)``, from -10 to 13; the end octaves hold
    what lies beyond them. Which firings are kept is decided by a hash of latent, row and seed, so
    it depends neither on the order of the pass nor on where it was resumed; at most one firing
    per window and octave.
    """

    def __init__(self, n_latents: int, n_keep: int, seed: int) -> None:
        self._seed = seed
        self._kept = TopContexts(n_latents * N_OCTAVES, n_keep)

    def add(
        self,
        latents: npt.NDArray[np.int64],
        values: npt.NDArray[np.float32],
        rows: npt.NDArray[np.int64],
        windows: npt.NDArray[np.int32],
    ) -> None:
        """Offer firings, as ``TopContexts.add``."""
        if self._kept.n_keep:
            keys = hash_keys(latents, rows, self._seed)
            self._kept.add(latents * N_OCTAVES + octave_places(values), keys, rows, windows)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return self._kept.state()

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._kept.restore(state)

    def of(self, latent: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return rows and octaves of a latent's samples, the strongest octave first."""
        chosen = self._kept.of_range(latent * N_OCTAVES, (latent + 1) * N_OCTAVES)
        octaves = chosen["latent"].astype(np.int64) - latent * N_OCTAVES + LOWEST_OCTAVE
        order = np.lexsort((chosen["row"], -octaves))
        return chosen["row"].astype(np.int64)[order], octaves[order]


def octave_places(values: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Return which of the ``N_OCTAVES`` octaves holds each value above zero."""
    exponents = np.frexp(values)[1].astype(np.int64) - 1
    return np.clip(exponents - LOWEST_OCTAVE, 0, N_OCTAVES - 1)


def hash_keys(
    latents: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], seed: int
) -> npt.NDArray[np.float32]:
    """Return a pseudo-random number in (0, 1] for each pair (splitmix64's finisher)."""
    mixed = rows.astype(np.uint64) * _FIRST
    offset = np.uint64((seed * int(_THIRD) + 1) % 2**64)
    mixed ^= (latents.astype(np.uint64) + offset) * _SECOND
    for factor in (_SECOND, _THIRD):
        mixed = (mixed ^ (mixed >> _SHIFT)) * factor
    mixed ^= mixed >> _SHIFT
    return ((mixed >> np.uint64(40)).astype(np.float32) + 1) / np.float32(2**24)
