"""The L1 penalty on latents, weighted by what they write."""

from __future__ import annotations

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.active_latents import ActiveLatents
from app.ml.sae_training.objectives.base import gradient_of
from app.ml.sae_training.weights import NORM_FLOOR, Weights


def l1_weight(hyperparameters: TrainingHyperparameters, d_in: int, progress: float) -> float:
    """Return the coefficient at this point of its warm-up."""
    share = hyperparameters.l1_warmup_percent / 100
    grown = min(1.0, progress / share) if share > 0 else 1.0
    return hyperparameters.resolved_l1_coefficient(d_in) * grown


def add_l1(
    weights: Weights, active: ActiveLatents, values: torch.Tensor, weight: float, n_rows: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``weight * sum(latent * |decoder row|) / B`` and its gradient by the values.

    Where decoder rows may have any norm their gradient is added too, or the penalty could be
    avoided by small latents and long rows. Source: Anthropic, April 2024.
    """
    sums_F = active.sum_by_latent(values)
    if weights.architecture.has_unit_decoder:
        penalty = weight * sums_F.sum() / n_rows
        return penalty, active.spread(torch.full_like(sums_F, weight / n_rows))
    norms_F = weights.W_dec_FD.norm(dim=1)
    gradient_of(weights.W_dec_FD).addcmul_(
        (sums_F * (weight / n_rows) / norms_F.clamp_min(NORM_FLOOR)).unsqueeze(1),
        weights.W_dec_FD,
    )
    penalty = weight * (sums_F @ norms_F) / n_rows
    return penalty, active.spread(norms_F * (weight / n_rows))
