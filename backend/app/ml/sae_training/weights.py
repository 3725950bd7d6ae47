"""The trainable weights, in the normalised space, and their way back to the original one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from app.ml.configs import TrainingHyperparameters

NORM_FLOOR = 1e-8


class Weights(nn.Module):
    """Parameters of a dictionary; both matrices are stored latent by latent (F, D).

    Latents are ``f(W_enc (x - b_dec) + b_enc)``, the reconstruction ``latents W_dec + b_dec``.
    Gradients are written by the objectives, hence no autograd.
    """

    def __init__(self, d_model: int, d_sae: int) -> None:
        super().__init__()
        self.W_enc_FD = nn.Parameter(torch.zeros(d_sae, d_model), requires_grad=False)
        self.W_dec_FD = nn.Parameter(torch.zeros(d_sae, d_model), requires_grad=False)
        self.b_enc_F = nn.Parameter(torch.zeros(d_sae), requires_grad=False)
        self.b_dec_D = nn.Parameter(torch.zeros(d_model), requires_grad=False)

    @property
    def d_sae(self) -> int:
        return self.W_dec_FD.shape[0]

    @property
    def d_model(self) -> int:
        return self.W_dec_FD.shape[1]

    def project_decoder_gradient(self) -> None:
        """Remove the part of the decoder's gradient that only changes the rows' norms."""
        gradient = self.W_dec_FD.grad
        if gradient is not None:
            along_F1 = (gradient * self.W_dec_FD).sum(dim=1, keepdim=True)
            gradient.addcmul_(along_F1, self.W_dec_FD, value=-1)

    def normalise_decoder(self) -> None:
        """Give every decoder row norm 1; projection alone lets the norms drift."""
        norms_F1 = self.W_dec_FD.norm(dim=1, keepdim=True).clamp_min(NORM_FLOOR)
        self.W_dec_FD.div_(norms_F1)


@dataclass(frozen=True)
class Normalisation:
    """``x_normalised = (x - mean) * scale``: zero mean and unit mean square per element."""

    mean_D: torch.Tensor
    scale: float

    def apply(self, x_BD: torch.Tensor) -> torch.Tensor:
        return (x_BD - self.mean_D) * self.scale

    def to(self, device: torch.device) -> Normalisation:
        return Normalisation(self.mean_D.to(device), self.scale)


def measure_normalisation(rows_ND: torch.Tensor) -> Normalisation:
    """Measure mean and scale in float64 on a sample of training rows.

    Centring is the largest single lever against latents that are dead from the start.
    """
    rows = rows_ND.double()
    mean_D = rows.mean(dim=0)
    mean_square = (rows - mean_D).square().mean().item()
    return Normalisation(mean_D.float(), float(max(mean_square, NORM_FLOOR**2) ** -0.5))


def fold(weights: Weights, normalisation: Normalisation) -> dict[str, torch.Tensor]:
    """Return weights that act on original activations, with unit decoder rows.

    relu and top-k are positively homogeneous, so dividing biases by the scale moves the latents
    into activation units: ``W (s (x - m) - b) + c = s (W (x - (m + b / s)) + c / s)``.
    """
    scale = normalisation.scale
    return {
        "W_enc_DF": weights.W_enc_FD.detach().T.contiguous().clone(),
        "W_dec_FD": weights.W_dec_FD.detach().clone(),
        "b_enc_F": weights.b_enc_F.detach() / scale,
        "b_dec_D": normalisation.mean_D + weights.b_dec_D.detach() / scale,
    }


def initialise(
    weights: Weights, sample_BD: torch.Tensor, hyperparameters: TrainingHyperparameters
) -> None:
    """Random unit decoder rows, encoder tied to them at the scale that reconstructs best.

    Args:
        weights: Filled in place.
        sample_BD: Normalised activations to find that scale by least squares.
        hyperparameters: Seed, activation and k.
    """
    generator = torch.Generator().manual_seed(hyperparameters.seed)
    rows_FD = torch.randn(weights.d_sae, weights.d_model, generator=generator)
    weights.W_dec_FD.copy_(rows_FD)
    weights.normalise_decoder()
    latents_BF = torch.relu(sample_BD @ weights.W_dec_FD.T)
    if hyperparameters.activation == "topk":
        kept = latents_BF.topk(min(hyperparameters.k, weights.d_sae), dim=1)
        latents_BF = torch.zeros_like(latents_BF).scatter_(1, kept.indices, kept.values)
    guess_BD = latents_BF @ weights.W_dec_FD
    power = guess_BD.square().sum().item()
    scale = (guess_BD * sample_BD).sum().item() / power if power > 0 else 1.0
    weights.W_enc_FD.copy_(weights.W_dec_FD * scale)
