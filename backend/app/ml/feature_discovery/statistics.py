"""Counters of all features at once."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

BINS_PER_OCTAVE = 8
N_BINS = 96
HEADROOM_OCTAVES = 2
QUANTILES = (0.5, 0.9, 0.99, 0.999)
SHOWN_BINS_PER_OCTAVE = 2


class FeatureCounters:
    """Fires, sums, maxima and a logarithmic histogram per latent.

    Bins are 1/8 octave wide, so a quantile read off them is right to 9 %; 12 octaves are covered
    below a top that lies two octaves above the first batch's largest value. Values beyond either
    end count in the end bin.
    """

    def __init__(self, n_latents: int) -> None:
        self.n_latents = n_latents
        self.n_tokens = 0
        self.fires_F = torch.zeros(n_latents, dtype=torch.int64)
        self.sum_F = torch.zeros(n_latents, dtype=torch.float64)
        self.max_F = torch.zeros(n_latents)
        self.bins_FH = torch.zeros(n_latents, N_BINS, dtype=torch.int64)
        self.low_octave: float | None = None

    def add(self, n_tokens: int, latents: torch.Tensor, values: torch.Tensor) -> None:
        """Count a batch's firings: ``latents`` int64 and ``values`` float32 above zero."""
        self.n_tokens += n_tokens
        if not len(values):
            return
        if self.low_octave is None:
            top = math.ceil(math.log2(values.max().item())) + HEADROOM_OCTAVES
            self.low_octave = float(top - N_BINS // BINS_PER_OCTAVE)
        self.fires_F += torch.bincount(latents, minlength=self.n_latents)
        self.sum_F += torch.bincount(latents, weights=values.double(), minlength=self.n_latents)
        self.max_F.scatter_reduce_(0, latents, values, reduce="amax")
        octaves = torch.log2(values).sub_(self.low_octave).mul_(BINS_PER_OCTAVE)
        bins = octaves.floor_().clamp_(0, N_BINS - 1).long()
        flat = torch.bincount(latents * N_BINS + bins, minlength=self.n_latents * N_BINS)
        self.bins_FH += flat.view(self.n_latents, N_BINS)

    def edges(self) -> npt.NDArray[np.float64]:
        """Return the ``N_BINS + 1`` bin edges, in activation units."""
        low = self.low_octave or 0.0
        return np.exp2(low + np.arange(N_BINS + 1) / BINS_PER_OCTAVE)

    def quantiles(self, latent: int) -> dict[str, float]:
        """Return quantiles of the values above zero: geometric bin centres, at most the maximum."""
        counts = self.bins_FH[latent].numpy()
        total = counts.sum()
        if total == 0:
            return {f"p{q * 100:g}": 0.0 for q in QUANTILES}
        cumulative, edges = np.cumsum(counts), self.edges()
        out = {}
        for q in QUANTILES:
            place = int(np.searchsorted(cumulative, q * total))
            centre = math.sqrt(edges[place] * edges[place + 1])
            out[f"p{q * 100:g}"] = min(centre, self.max_F[latent].item())
        return out

    def histogram(self, latent: int) -> dict[str, list[float]]:
        """Return counts in half-octave bins between the smallest and largest value seen."""
        step = BINS_PER_OCTAVE // SHOWN_BINS_PER_OCTAVE
        counts = self.bins_FH[latent].numpy().reshape(-1, step).sum(axis=1)
        used = np.flatnonzero(counts)
        if not len(used):
            return {"edges": [], "counts": []}
        first, last = used[0], used[-1]
        edges = self.edges()[::step][first : last + 2]
        return {
            "edges": [float(edge) for edge in edges],
            "counts": [float(count) for count in counts[first : last + 1]],
        }
