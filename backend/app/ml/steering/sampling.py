"""Choosing the next token."""

from __future__ import annotations

import torch

from app.ml.configs import SteeringConfig


class Sampler:
    """One text's sampler with its own random stream.

    Texts to be compared start from the same seed and draw exactly one number per token, so they
    choose alike until their distributions differ: differences come from steering, not from luck.
    """

    def __init__(self, config: SteeringConfig, seed: int | None = None) -> None:
        self.config = config
        self.random = torch.Generator().manual_seed(config.seed if seed is None else seed)

    def choose(self, logits_V: torch.Tensor, seen_ids: list[int]) -> int:
        """Return the next token id for float32 logits on any device."""
        logits_V = penalise(logits_V.cpu(), seen_ids, self.config.repetition_penalty)
        draw = torch.rand((), generator=self.random, dtype=torch.float64).item()
        if self.config.temperature == 0:
            return int(logits_V.argmax())
        return pick(sampling_probabilities(logits_V, self.config), draw)


def penalise(logits_V: torch.Tensor, seen_ids: list[int], penalty: float) -> torch.Tensor:
    """Make tokens that occurred less likely. Source: Keskar et al. 2019 (CTRL)."""
    if penalty == 1.0 or not seen_ids:
        return logits_V
    seen = torch.tensor(sorted(set(seen_ids)))
    changed, values = logits_V.clone(), logits_V[seen]
    changed[seen] = torch.where(values > 0, values / penalty, values * penalty)
    return changed


def sampling_probabilities(logits_V: torch.Tensor, config: SteeringConfig) -> torch.Tensor:
    """Return the float64 probabilities that temperature, top-k and top-p leave."""
    scaled = logits_V.double() / config.temperature
    if config.top_k:
        smallest = scaled.topk(min(config.top_k, len(scaled))).values[-1]
        scaled = scaled.masked_fill(scaled < smallest, float("-inf"))
    probabilities_V = torch.softmax(scaled, dim=0)
    if config.top_p < 1:
        ordered, order = probabilities_V.sort(descending=True, stable=True)
        before = torch.cumsum(ordered, 0) - ordered
        probabilities_V[order[before >= config.top_p]] = 0
    return probabilities_V / probabilities_V.sum()


def pick(probabilities_V: torch.Tensor, draw: float) -> int:
    """Return the token at which the cumulative probability passes ``draw`` (0..1)."""
    cumulative = torch.cumsum(probabilities_V, 0)
    place = int(torch.searchsorted(cumulative, draw * cumulative[-1].item(), right=True))
    last = int(probabilities_V.nonzero()[-1])
    return min(place, last)
