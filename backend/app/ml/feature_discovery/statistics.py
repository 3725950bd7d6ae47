"""Counters of all features at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

BINS_PER_OCTAVE = 8
LOWEST_OCTAVE = -10
N_OCTAVES = 24
N_BINS = N_OCTAVES * BINS_PER_OCTAVE
QUANTILES = (0.5, 0.9, 0.99, 0.999)
SHOWN_BINS_PER_OCTAVE = 2
_TENSORS = ("fires_F", "sum_F", "squares_F", "max_F", "bins_FH")


class FeatureCounters:
    """Fires, sums, maxima and a logarithmic histogram per latent.

    Bins are 1/8 octave wide, so a quantile read off them is right to 9 %; they cover 2^-10 to
    2^14. Values beyond either end count in the end bin. Nothing depends on the order of the pass.
    A pass counts on the device that encodes; what is read afterwards is read from the host.
    """

    def __init__(self, n_latents: int, device: torch.device | str = "cpu") -> None:
        self.n_latents = n_latents
        self.n_tokens = 0
        self.fires_F = torch.zeros(n_latents, dtype=torch.int64, device=device)
        self.sum_F = torch.zeros(n_latents, dtype=torch.float64, device=device)
        self.squares_F = torch.zeros(n_latents, dtype=torch.float64, device=device)
        self.max_F = torch.zeros(n_latents, device=device)
        self.bins_FH = torch.zeros(n_latents, N_BINS, dtype=torch.int32, device=device)

    def add(self, n_tokens: int, latents: torch.Tensor, values: torch.Tensor) -> None:
        """Count a batch's firings: ``latents`` int64 and ``values`` float32 above zero."""
        self.n_tokens += n_tokens
        if not len(values):
            return
        self.fires_F += torch.bincount(latents, minlength=self.n_latents)
        exact = values.double()
        self.sum_F += torch.bincount(latents, weights=exact, minlength=self.n_latents)
        self.squares_F += torch.bincount(latents, weights=exact * exact, minlength=self.n_latents)
        self.max_F.scatter_reduce_(0, latents, values, reduce="amax")
        octaves = torch.log2(values).sub_(LOWEST_OCTAVE).mul_(BINS_PER_OCTAVE)
        bins = octaves.floor_().clamp_(0, N_BINS - 1).long()
        ones = torch.ones(1, dtype=torch.int32, device=values.device).expand(len(values))
        self.bins_FH.view(-1).index_add_(0, latents * N_BINS + bins, ones)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        tensors = {name: getattr(self, name).cpu().numpy() for name in _TENSORS}
        return {"n_tokens": np.array(self.n_tokens), **tensors}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self.n_tokens = int(state["n_tokens"])
        for name in _TENSORS:
            device = getattr(self, name).device
            setattr(self, name, torch.from_numpy(state[name]).to(device))

    def to_host(self) -> None:
        """Move everything to the host: a device would be waited for at every number read."""
        for name in _TENSORS:
            setattr(self, name, getattr(self, name).cpu())

    def edges(self) -> npt.NDArray[np.float64]:
        """Return the ``N_BINS + 1`` bin edges, in activation units."""
        return np.exp2(LOWEST_OCTAVE + np.arange(N_BINS + 1) / BINS_PER_OCTAVE)

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

    def octaves(self, latent: int) -> list[dict[str, float]]:
        """Return the octaves that hold firings, strongest first, with their exact share of them.

        Bins lie between the octaves' bounds, which are powers of two, so nothing is estimated.
        """
        counts = self.bins_FH[latent].numpy().reshape(-1, BINS_PER_OCTAVE).sum(axis=1)
        total, low = int(counts.sum()), LOWEST_OCTAVE
        return [
            {"octave": low + place, "from": 2.0 ** (low + place), "to": 2.0 ** (low + place + 1),
             "count": int(counts[place]), "share": int(counts[place]) / total}
            for place in np.flatnonzero(counts)[::-1].tolist()
        ]  # fmt: skip
