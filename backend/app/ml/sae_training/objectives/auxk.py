"""AuxK: dead latents learn what the living ones leave over."""

from __future__ import annotations

import torch

from app.ml.sae_training.objectives.base import gradient_of
from app.ml.sae_training.weights import Weights


def add_auxk(
    weights: Weights,
    centred_BD: torch.Tensor,
    pre_BF: torch.Tensor,
    error_BD: torch.Tensor,
    dead: torch.Tensor,
    coefficient: float,
) -> torch.Tensor:
    """Add AuxK's gradients to those already written; return the weighted loss, 0-d.

    The residual (target minus output, held fixed, without the decoder's bias) is reconstructed
    from the d_out / 2 largest dead latents; the squared miss is divided by the residual's size.
    The gradient reaches encoder and decoder of those latents. Without a dead latent it is
    exactly 0. Source: Gao et al. 2024.
    """
    zero = error_BD.new_zeros(())
    if coefficient <= 0 or not len(dead):
        return zero
    k_aux = max(error_BD.shape[1] // 2, 1)
    latents_BX = torch.relu(pre_BF[:, dead].to(error_BD.dtype))
    if len(dead) > k_aux:
        kept = latents_BX.topk(k_aux, dim=1, sorted=False)
        latents_BX = torch.zeros_like(latents_BX).scatter_(1, kept.indices, kept.values)
    decoder_XD = weights.W_dec_FD[dead]
    miss_BD = latents_BX @ decoder_XD + error_BD
    power = error_BD.square().sum()
    if power <= 0:
        return zero
    d_output_BD = miss_BD * (2 * coefficient / power)
    d_pre_BX = (d_output_BD @ decoder_XD.T) * (latents_BX > 0)
    d_bias_X = d_pre_BX.sum(dim=0)
    gradient_of(weights.W_dec_FD).index_add_(0, dead, latents_BX.T @ d_output_BD)
    gradient_of(weights.W_enc_FD).index_add_(0, dead, d_pre_BX.T @ centred_BD)
    gradient_of(weights.b_enc_F).index_add_(0, dead, d_bias_X)
    if weights.architecture.centres_input:
        gradient_of(weights.b_dec_D).sub_(d_bias_X @ weights.W_enc_FD[dead])
    return coefficient * miss_BD.square().sum() / power
