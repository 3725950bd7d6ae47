"""Where training starts."""

from __future__ import annotations

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.configs.training_defaults import K_WARMUP_FACTOR
from app.ml.sae_training.selection import largest_per_row
from app.ml.sae_training.weights import Weights

THRESHOLD_FLOOR = 1e-3
MOST_ACTIVE = 0.5
PENALISED = ("relu", "gated")


def initialise(
    weights: Weights, sample_BD: torch.Tensor, hyperparameters: TrainingHyperparameters
) -> None:
    """Fill the weights.

    Random directions of norm 1. Where input and output are the same activation they are the
    decoder, and the encoder is tied to them at the scale that reconstructs best. A transcoder
    reads in them and writes nothing yet: its first output is the mean of its targets. JumpReLU
    thresholds start where k latents of a token exceed them; relu and gated biases where four
    times k latents are, each on the same share of the tokens: with biases of 0 half of all
    latents are active until the penalty has changed that, and every product is dense.

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
    if architecture.activation in PENALISED:
        weights.b_enc_F.copy_(_sparse_biases(rows_FD, sample_BD, K_WARMUP_FACTOR * k))
    if architecture.has_unit_decoder:
        weights.W_dec_FD.copy_(rows_FD)
        weights.normalise_decoder()
        keeps = None if architecture.activation in PENALISED else k
        scale = _best_scale(weights, sample_BD, keeps)
        weights.W_enc_FD.mul_(scale)
        weights.b_enc_F.mul_(scale)
    if architecture.activation == "gated":
        weights.b_gate_F.copy_(weights.b_enc_F)
    if architecture.activation == "jumprelu":
        pre_BF = sample_BD @ weights.W_enc_FD.T
        kth = largest_per_row(pre_BF, k)[0].amin(dim=1).median()
        weights.threshold_F.fill_(max(kth.item(), THRESHOLD_FLOOR))


def _sparse_biases(rows_FD: torch.Tensor, sample_BD: torch.Tensor, active: int) -> torch.Tensor:
    """Return the biases (F,) with which ``active`` latents of a token are above 0 on average.

    Each is active on the same share of the sample, so none starts dead.
    """
    share = min(active / len(rows_FD), MOST_ACTIVE)
    kept = max(round(share * len(sample_BD)), 1)
    return -(rows_FD @ sample_BD.T).topk(kept, dim=1).values.amin(dim=1)


def _best_scale(weights: Weights, sample_BD: torch.Tensor, k: int | None) -> float:
    """Return the least-squares factor from the tied reconstruction to the sample."""
    latents_BF = torch.relu(sample_BD @ weights.W_dec_FD.T + weights.b_enc_F)
    if k is not None:
        values_BK, indices_BK = largest_per_row(latents_BF, k)
        latents_BF = torch.zeros_like(latents_BF).scatter_(1, indices_BK, values_BK)
    guess_BD = latents_BF @ weights.W_dec_FD
    power = guess_BD.square().sum().item()
    return (guess_BD * sample_BD).sum().item() / power if power > 0 else 1.0
