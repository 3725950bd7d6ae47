"""BatchTopK: the k B largest latents of a batch, so that tokens take what they need."""

from __future__ import annotations

import torch

from app.ml.sae_training.active_latents import ActiveLatents, SparseLatents
from app.ml.sae_training.objectives.topk import TopKObjective
from app.ml.sae_training.selection import largest_in_batch
from app.ml.sae_training.weights import Weights

AVERAGED_SHARE = 0.02
MIN_AVERAGED_STEPS, MAX_AVERAGED_STEPS = 10, 1000


class BatchTopKObjective(TopKObjective):
    """As TopK over the whole batch; learns the threshold that inference uses instead.

    The threshold is a float32 moving average of the smallest kept value, begun after the
    warm-ups of k and of the learning rate. It averages over 2 % of the run (10 to 1000 steps):
    over the usual 1000 steps a short run would end with a threshold of its beginning.
    Source: Bussmann et al. 2024.
    """

    def select(
        self, weights: Weights, pre_BF: torch.Tensor, k: float, progress: float
    ) -> tuple[ActiveLatents, torch.Tensor]:
        places = largest_in_batch(pre_BF, round(k * len(pre_BF)))
        values = pre_BF.reshape(-1)[places].to(weights.W_dec_FD.dtype)
        if len(values) and progress > self._warmup_share():
            self._follow(weights.batch_threshold, values.amin())
        return SparseLatents.at(places, pre_BF.shape, self.dtype), values

    def _follow(self, threshold: torch.Tensor, smallest: torch.Tensor) -> None:
        steps = AVERAGED_SHARE * self.settings.training_steps
        weight = 1 / min(max(steps, MIN_AVERAGED_STEPS), MAX_AVERAGED_STEPS)
        smallest = smallest.to(threshold.dtype)
        moved = torch.lerp(threshold, smallest, weight)
        threshold.copy_(torch.where(threshold < 0, smallest, moved))

    def _warmup_share(self) -> float:
        learning_rate = self.settings.resolved_warmup_steps() / self.settings.training_steps
        return max(learning_rate, self.settings.k_warmup_percent / 100)
