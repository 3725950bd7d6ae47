"""Where training starts."""

from __future__ import annotations

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.selection import largest_per_row
from app.ml.sae_training.weights import Weights

THRESHOLD_FLOOR = 1e-3


def initialise(
    weights: Weights, sample_BD: torch.Tensor, hyperparameters: TrainingHyperparameters
) -> None:
    """Fill the weights.

    Random directions of norm 1. Where input and output are the same activation they are the
    decoder, and the encoder is tied to them at the scale that reconstructs best. A transcoder
    reads in them and writes nothing yet: its first output is the mean of its targets. JumpReLU
    thresholds start where k latents of a token exceed them.

    Args:
        weights: Filled in place.
        sample_BD: Normalised inputs to find scale and thresholds on.
        hyperparameters: Seed and k.
    """
    architecture = weights.architecture
    generator = torch.Generator().manual_seed(hyperparameters.seed)
    rows_FD = torch.randn(architecture.d_sae, architecture.d_in, generator=generator)
    rows_FD = torch.nn.functional.normalize(rows_FD, dim=1).to(sample_BD.device)
    weights.W_enc_FD.copy_(rows_FD)
    if weights.skip is not None:
        weights.skip.initialise(generator)
    k = hyperparameters.resolved_k(architecture.d_in)
    if architecture.has_unit_decoder:
        weights.W_dec_FD.copy_(rows_FD)
        weights.normalise_decoder()
        keeps = None if architecture.activation in ("relu", "gated") else k
        weights.W_enc_FD.mul_(_best_scale(weights, sample_BD, keeps))
    if architecture.activation == "jumprelu":
        pre_BF = sample_BD @ weights.W_enc_FD.T
        kth = largest_per_row(pre_BF, k)[0].amin(dim=1).median()
        weights.threshold_F.fill_(max(kth.item(), THRESHOLD_FLOOR))


def _best_scale(weights: Weights, sample_BD: torch.Tensor, k: int | None) -> float:
    """Return the least-squares factor from the tied reconstruction to the sample."""
    latents_BF = torch.relu(sample_BD @ weights.W_dec_FD.T)
    if k is not None:
        values_BK, indices_BK = largest_per_row(latents_BF, k)
        latents_BF = torch.zeros_like(latents_BF).scatter_(1, indices_BK, values_BK)
    guess_BD = latents_BF @ weights.W_dec_FD
    power = guess_BD.square().sum().item()
    return (guess_BD * sample_BD).sum().item() / power if power > 0 else 1.0
