"""What a step minimises, by architecture; gradients are written out by hand.

Shapes: B batch, D width, F latents, K kept per row. Inputs are normalised (unit mean square).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.sparse_products import (
    LatentGroups,
    decode_sparse,
    sampled_products,
    sum_by_latent,
)
from app.ml.sae_training.weights import Weights


@dataclass(frozen=True)
class StepLosses:
    """Values of one step as 0-d tensors; ``loss`` is the sum that was differentiated."""

    loss: torch.Tensor
    reconstruction: torch.Tensor
    auxiliary: torch.Tensor
    sparsity: torch.Tensor
    l0: torch.Tensor
    error_BD: torch.Tensor
    fired: torch.Tensor


class Objective(Protocol):
    """One architecture's loss; adding one means adding an entry to the registry."""

    def step(
        self, weights: Weights, x_BD: torch.Tensor, dead: torch.Tensor, progress: float
    ) -> StepLosses:
        """Write ``.grad`` of every parameter and return the losses.

        Args:
            weights: Of norm-1 decoder rows.
            x_BD: Normalised activations, float32.
            dead: Numbers of the latents that count as dead, int64.
            progress: Share of the run that is done, for warm-ups.
        """


class TopKObjective:
    """Mean squared error of the k largest latents, plus AuxK for dead ones.

    Source: Gao et al. 2024. AuxK reconstructs the residual (held fixed, without the decoder's
    bias) from the k_aux largest dead latents and is normalised by the residual's size; its
    gradient reaches encoder and decoder of those latents. With no dead latent it is exactly 0.
    """

    def __init__(
        self, hyperparameters: TrainingHyperparameters, d_model: int, dtype: torch.dtype
    ) -> None:
        self.k = hyperparameters.k
        self.k_aux = max(d_model // 2, 1)
        self.auxk_coefficient = hyperparameters.auxk_coefficient
        self.dtype = dtype

    def step(
        self, weights: Weights, x_BD: torch.Tensor, dead: torch.Tensor, progress: float
    ) -> StepLosses:
        centred_BD = x_BD - weights.b_dec_D
        pre_BF = _encoder_product(weights, centred_BD, self.dtype)
        kept = pre_BF.topk(self.k, dim=1, sorted=False)
        values_BK, indices_BK = torch.relu(kept.values.to(x_BD.dtype)), kept.indices
        output_BD = decode_sparse(values_BK, indices_BK, weights.W_dec_FD)
        error_BD = output_BD.add_(weights.b_dec_D).sub_(x_BD)
        reconstruction = error_BD.square().mean()
        self._write_gradients(weights, centred_BD, values_BK, indices_BK, error_BD)
        auxiliary = reconstruction.new_zeros(())
        if self.auxk_coefficient > 0 and len(dead):
            auxiliary = self._add_auxk(weights, centred_BD, pre_BF, error_BD, dead)
        is_firing_BK = values_BK > 0
        return StepLosses(
            loss=reconstruction + auxiliary,
            reconstruction=reconstruction,
            auxiliary=auxiliary,
            sparsity=reconstruction.new_zeros(()),
            l0=is_firing_BK.sum() / len(x_BD),
            error_BD=error_BD,
            fired=indices_BK[is_firing_BK],
        )

    def _write_gradients(
        self,
        weights: Weights,
        centred_BD: torch.Tensor,
        values_BK: torch.Tensor,
        indices_BK: torch.Tensor,
        error_BD: torch.Tensor,
    ) -> None:
        d_output_BD = error_BD * (2 / error_BD.numel())
        d_values_BK = sampled_products(d_output_BD, weights.W_dec_FD, indices_BK)
        d_pre_BK = d_values_BK * (values_BK > 0)
        groups = LatentGroups.of(indices_BK, weights.d_sae)
        d_bias_F = sum_by_latent(d_pre_BK, indices_BK, weights.d_sae)
        weights.W_dec_FD.grad = groups.transposed_product(values_BK, d_output_BD)
        weights.W_enc_FD.grad = groups.transposed_product(d_pre_BK, centred_BD)
        weights.b_enc_F.grad = d_bias_F
        weights.b_dec_D.grad = d_output_BD.sum(dim=0) - d_bias_F @ weights.W_enc_FD

    def _add_auxk(
        self,
        weights: Weights,
        centred_BD: torch.Tensor,
        pre_BF: torch.Tensor,
        error_BD: torch.Tensor,
        dead: torch.Tensor,
    ) -> torch.Tensor:
        """Add AuxK's gradients to those already written; return the weighted loss."""
        latents_BX = torch.relu(pre_BF[:, dead].to(error_BD.dtype))
        if len(dead) > self.k_aux:
            kept = latents_BX.topk(self.k_aux, dim=1, sorted=False)
            latents_BX = torch.zeros_like(latents_BX).scatter_(1, kept.indices, kept.values)
        decoder_XD, encoder_XD = weights.W_dec_FD[dead], weights.W_enc_FD[dead]
        miss_BD = latents_BX @ decoder_XD + error_BD
        power = error_BD.square().sum()
        if power <= 0:
            return power.new_zeros(())
        d_output_BD = miss_BD * (2 * self.auxk_coefficient / power)
        d_pre_BX = (d_output_BD @ decoder_XD.T) * (latents_BX > 0)
        d_bias_X = d_pre_BX.sum(dim=0)
        _gradient(weights.W_dec_FD).index_add_(0, dead, latents_BX.T @ d_output_BD)
        _gradient(weights.W_enc_FD).index_add_(0, dead, d_pre_BX.T @ centred_BD)
        _gradient(weights.b_enc_F).index_add_(0, dead, d_bias_X)
        _gradient(weights.b_dec_D).sub_(d_bias_X @ encoder_XD)
        return self.auxk_coefficient * miss_BD.square().sum() / power


class ReluObjective:
    """Mean squared error plus an L1 penalty on the latents, weighted by decoder norms (here 1).

    The penalty is warmed up over the first 5 % of the run. Source: Anthropic, April 2024.
    """

    WARMUP_SHARE = 0.05

    def __init__(
        self, hyperparameters: TrainingHyperparameters, d_model: int, dtype: torch.dtype
    ) -> None:
        self.l1_coefficient = hyperparameters.resolved_l1_coefficient(d_model)
        self.dtype = dtype

    def step(
        self, weights: Weights, x_BD: torch.Tensor, dead: torch.Tensor, progress: float
    ) -> StepLosses:
        l1 = self.l1_coefficient * min(1.0, progress / self.WARMUP_SHARE)
        centred_BD = x_BD - weights.b_dec_D
        latents_BF = torch.relu_(_encoder_product(weights, centred_BD, self.dtype))
        decoder_FD = weights.W_dec_FD.to(latents_BF.dtype)
        error_BD = (latents_BF @ decoder_FD).to(x_BD.dtype) + weights.b_dec_D - x_BD
        reconstruction = error_BD.square().mean()
        sparsity = l1 * latents_BF.sum(dtype=torch.float32) / len(x_BD)
        d_output_BD = error_BD * (2 / error_BD.numel())
        low_output_BD = d_output_BD.to(latents_BF.dtype)
        is_firing_BF = latents_BF > 0
        d_pre_BF = (low_output_BD @ decoder_FD.T).add_(l1 / len(x_BD)).mul_(is_firing_BF)
        d_bias_F = d_pre_BF.sum(dim=0, dtype=x_BD.dtype)
        low_centred_BD = centred_BD.to(latents_BF.dtype)
        weights.W_dec_FD.grad = (latents_BF.T @ low_output_BD).to(x_BD.dtype)
        weights.W_enc_FD.grad = (d_pre_BF.T @ low_centred_BD).to(x_BD.dtype)
        weights.b_enc_F.grad = d_bias_F
        weights.b_dec_D.grad = d_output_BD.sum(dim=0) - d_bias_F @ weights.W_enc_FD
        return StepLosses(
            loss=reconstruction + sparsity,
            reconstruction=reconstruction,
            auxiliary=reconstruction.new_zeros(()),
            sparsity=sparsity,
            l0=is_firing_BF.sum() / len(x_BD),
            error_BD=error_BD,
            fired=is_firing_BF.any(dim=0).nonzero().flatten(),
        )


def _encoder_product(
    weights: Weights, centred_BD: torch.Tensor, dtype: torch.dtype
) -> torch.Tensor:
    """Return pre-activations (B, F); in bfloat16 the products still add up in float32."""
    if centred_BD.dtype == torch.float64 or dtype == torch.float32:
        return torch.nn.functional.linear(centred_BD, weights.W_enc_FD, weights.b_enc_F)
    return torch.nn.functional.linear(
        centred_BD.to(dtype), weights.W_enc_FD.to(dtype), weights.b_enc_F.to(dtype)
    )


def _gradient(parameter: torch.nn.Parameter) -> torch.Tensor:
    if parameter.grad is None:
        raise ValueError("gradients are written before AuxK adds to them")
    return parameter.grad
