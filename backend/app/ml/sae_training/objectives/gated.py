"""Gated: one path decides whether a latent is active, another one how much."""

from __future__ import annotations

import torch

from app.ml.sae_training.active_latents import ActiveLatents, active_where
from app.ml.sae_training.objectives.base import (
    Batch,
    Objective,
    StepLosses,
    write_encoder_gradients,
)
from app.ml.sae_training.objectives.penalty import add_l1, l1_weight
from app.ml.sae_training.objectives.reconstruction import reconstruct
from app.ml.sae_training.weights import Weights


class GatedObjective(Objective):
    """Mean squared error, an L1 penalty on the gates, and what the gates alone reconstruct.

    With h = W_enc x_c, gate = h + b_gate and magnitude = exp(r_mag) h + b_enc a latent is
    relu(magnitude) where the gate is above 0. The third term decodes relu(gate) with decoder and
    bias held fixed, so that the gates learn although the step has no gradient; it is the
    ``auxiliary`` loss. Source: Rajamanoharan et al. 2024 (Gated SAEs).
    """

    def step(
        self, weights: Weights, batch: Batch, dead: torch.Tensor, progress: float
    ) -> StepLosses:
        centred_BD = weights.centred(batch.input_BD)
        gates_BF = self.encode(weights, centred_BD, weights.b_gate_F)
        open_ = active_where(gates_BF > 0, self.dtype)
        gate = open_.take(gates_BF)
        product = open_.mask(gate - open_.spread(weights.b_gate_F))
        factor = open_.spread(weights.r_mag_F.exp())
        values = open_.mask(torch.relu(product * factor + open_.spread(weights.b_enc_F)))
        found = reconstruct(weights, batch, open_, values)
        auxiliary, d_gate = self._gates_alone(weights, batch, open_, gate)
        weight = l1_weight(self.settings, self.architecture.d_in, progress)
        sparsity, d_penalty = add_l1(weights, open_, gate, weight, len(batch))
        d_gate = open_.mask(d_gate + d_penalty)
        d_magnitude = found.d_values * (values > 0)
        weights.b_enc_F.grad = open_.sum_by_latent(d_magnitude)
        weights.r_mag_F.grad = open_.sum_by_latent(d_magnitude * product * factor)
        weights.b_gate_F.grad = open_.sum_by_latent(d_gate)
        write_encoder_gradients(weights, open_, d_gate + d_magnitude * factor, centred_BD)
        return StepLosses(
            loss=found.loss + auxiliary + sparsity,
            reconstruction=found.loss,
            auxiliary=auxiliary,
            sparsity=sparsity,
            l0=open_.count(values) / len(batch),
            error_BD=found.error_BD,
            fired_F=open_.fired(values),
        )

    def _gates_alone(
        self, weights: Weights, batch: Batch, open_: ActiveLatents, gate: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss of ``relu(gate)`` as latents and its gradient by the gates."""
        error_BD = open_.decode(gate, weights.W_dec_FD) + weights.b_dec_D - batch.target_BD
        if weights.skip is not None:
            error_BD += weights.skip(batch.input_BD)
        d_gate = open_.products(error_BD * (2 / error_BD.numel()), weights.W_dec_FD)
        return error_BD.square().mean(), d_gate
