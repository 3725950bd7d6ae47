"""JumpReLU: a learned threshold per latent, driven to a wanted number of active ones."""

from __future__ import annotations

import torch

from app.ml.sae_training.active_latents import active_where
from app.ml.sae_training.objectives.auxk import add_auxk
from app.ml.sae_training.objectives.base import (
    Batch,
    Objective,
    StepLosses,
    write_encoder_gradients,
)
from app.ml.sae_training.objectives.reconstruction import reconstruct
from app.ml.sae_training.weights import Weights


class JumpReluObjective(Objective):
    """Mean squared error plus ``c (L0 / k - 1)^2``, plus AuxK.

    The step at the threshold has no gradient; within ``bandwidth`` e around it a rectangle
    stands for it: d latent / d threshold = -threshold / e and d L0 / d threshold = -1 / e.
    The threshold itself is learned (not its logarithm, which hardly moves). Source:
    Rajamanoharan et al. 2024 (JumpReLU), with L0 aimed at.
    """

    def step(
        self, weights: Weights, batch: Batch, dead: torch.Tensor, progress: float
    ) -> StepLosses:
        centred_BD = weights.centred(batch.input_BD)
        pre_BF = self.encode(weights, centred_BD, weights.b_enc_F)
        width = self.settings.bandwidth
        nearby = active_where(pre_BF > weights.threshold_F - width / 2, self.dtype)
        pre, threshold = nearby.take(pre_BF), nearby.spread(weights.threshold_F)
        is_active = pre > threshold
        values = nearby.mask(pre * is_active)
        found = reconstruct(weights, batch, nearby, values)
        l0 = nearby.count(values) / len(batch)
        k, coefficient = (
            self.settings.resolved_k(self.architecture.d_in),
            self.settings.l0_coefficient,
        )
        excess = l0 / k - 1
        sparsity = coefficient * excess.square()
        d_l0 = 2 * coefficient * excess / (k * len(batch))
        is_near = nearby.mask(((pre - threshold).abs() < width / 2).to(pre.dtype))
        d_threshold = is_near * (found.d_values * threshold + d_l0) * (-1 / width)
        weights.threshold_F.grad = nearby.sum_by_latent(d_threshold)
        d_pre = found.d_values * is_active
        weights.b_enc_F.grad = write_encoder_gradients(weights, nearby, d_pre, centred_BD)
        auxiliary = add_auxk(
            weights, centred_BD, pre_BF, found.error_BD, dead, self.settings.auxk_coefficient
        )
        return StepLosses(
            loss=found.loss + sparsity + auxiliary,
            reconstruction=found.loss,
            auxiliary=auxiliary,
            sparsity=sparsity,
            l0=l0,
            error_BD=found.error_BD,
            fired_F=nearby.fired(values),
        )
