"""ReLU: sparse through an L1 penalty."""

from __future__ import annotations

import torch

from app.ml.sae_training.active_latents import active_where
from app.ml.sae_training.objectives.base import (
    Batch,
    Objective,
    StepLosses,
    write_encoder_gradients,
)
from app.ml.sae_training.objectives.penalty import add_l1, l1_weight
from app.ml.sae_training.objectives.reconstruction import reconstruct
from app.ml.sae_training.weights import Weights


class ReluObjective(Objective):
    """Mean squared error plus an L1 penalty that is warmed up. Source: Anthropic, April 2024."""

    def step(
        self, weights: Weights, batch: Batch, dead: torch.Tensor, progress: float
    ) -> StepLosses:
        centred_BD = weights.centred(batch.input_BD)
        pre_BF = self.encode(weights, centred_BD, weights.b_enc_F)
        active = active_where(pre_BF > 0, self.dtype)
        values = active.take(pre_BF)
        found = reconstruct(weights, batch, active, values)
        weight = l1_weight(self.settings, self.architecture.d_in, progress)
        sparsity, d_penalty = add_l1(weights, active, values, weight, len(batch))
        d_pre = active.mask(found.d_values + d_penalty)
        weights.b_enc_F.grad = write_encoder_gradients(weights, active, d_pre, centred_BD)
        return StepLosses(
            loss=found.loss + sparsity,
            reconstruction=found.loss,
            auxiliary=found.loss.new_zeros(()),
            sparsity=sparsity,
            l0=active.count(values) / len(batch),
            error_BD=found.error_BD,
            fired_F=active.fired(values),
        )
