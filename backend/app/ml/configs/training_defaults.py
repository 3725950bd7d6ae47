"""What the empty settings of a training stand for: values by width and by length of the run."""

from __future__ import annotations

import math

MAX_DEAD_WINDOW_TOKENS = 10_000_000
MIN_DEAD_WINDOW_TOKENS = 500_000
K_WARMUP_FACTOR = 4
NARROW_WIDTH = 128
MAX_LEARNING_RATE, MAX_LEARNING_RATE_OF_K = 1e-3, 3e-3
WHOLE_BATCH = 4096


class Recipe:
    """The resolved values of ``TrainingHyperparameters``; see docs/decisions."""

    activation: str
    expansion_factor: int
    d_sae: int | None
    k: int | None
    k_warmup_percent: float
    matryoshka_sizes: tuple[int, ...]
    l1_coefficient: float | None
    skip: bool
    skip_rank: int | None
    training_steps: int
    batch_size: int
    learning_rate: float | None
    warmup_steps: int | None
    dead_window_tokens: int | None
    seed: int
    data_seed: int | None

    def latents(self, d_model: int) -> int:
        return self.d_sae or self.expansion_factor * d_model

    def resolved_k(self, d_model: int) -> int:
        return self.k if self.k is not None else 16 if d_model <= NARROW_WIDTH else 32

    def k_at(self, progress: float, d_model: int) -> float:
        """Return k when a share of the run is done: four times k, falling linearly to k."""
        k, share = self.resolved_k(d_model), self.k_warmup_percent / 100
        if share <= 0 or progress >= share:
            return k
        most = min(K_WARMUP_FACTOR * k, max(self.latents(d_model), k))
        return k + (most - k) * (1 - progress / share)

    def resolved_learning_rate(self, d_sae: int) -> float:
        """Return the peak: 2e-4 / sqrt(latents / 2^14), what the longest runs use.

        Those that keep k latents bear more in shorter runs, eight times as much in 800 steps and
        the less the longer (measured from 300 to 12,800 steps and at 4,608 and 18,432 latents, see
        docs/benchmarks.md), and less in small batches, whose gradients are noisier.
        """
        if self.learning_rate:
            return self.learning_rate
        peak = 2e-4 / math.sqrt(d_sae / 2**14)
        if self.activation not in ("topk", "batchtopk"):
            return min(peak, MAX_LEARNING_RATE)
        noise = math.sqrt(min(self.batch_size / WHOLE_BATCH, 1))
        shortness = max(8 * math.sqrt(math.sqrt(800 / self.training_steps)), 1)
        return min(peak * noise * shortness, MAX_LEARNING_RATE_OF_K)

    def resolved_warmup_steps(self) -> int:
        if self.warmup_steps is not None:
            return self.warmup_steps
        return min(1000, self.training_steps // 20)

    def resolved_dead_window_tokens(self) -> int:
        if self.dead_window_tokens is not None:
            return self.dead_window_tokens
        share = 3 * self.training_steps * self.batch_size // 100
        return min(MAX_DEAD_WINDOW_TOKENS, max(MIN_DEAD_WINDOW_TOKENS, share))

    def resolved_l1_coefficient(self, d_model: int) -> float:
        return self.l1_coefficient if self.l1_coefficient is not None else 5.0 / d_model

    def resolved_data_seed(self) -> int:
        return self.seed if self.data_seed is None else self.data_seed

    def resolved_skip_rank(self, encoder_type: str, d_model: int) -> int | None:
        """Return the rank of the linear path, or None where there is none."""
        if encoder_type == "skip":
            return self.skip_rank or max(d_model // 16, 1)
        if encoder_type == "transcoder" and self.skip:
            return self.skip_rank or d_model
        return None

    def nested_sizes(self, d_model: int) -> tuple[int, ...]:
        """Return the sizes that must each reconstruct, ending with all latents."""
        latents = self.latents(d_model)
        return (*(size for size in self.matryoshka_sizes if size < latents), latents)
