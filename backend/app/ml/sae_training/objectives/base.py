"""What all objectives share: batches in, losses out, the encoder's product and gradients.

Shapes: B batch, D width (of input or output), F latents. Inputs are normalised.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.active_latents import ActiveLatents
from app.ml.sae_training.architecture import Architecture
from app.ml.sae_training.weights import Weights


@dataclass(frozen=True)
class Batch:
    """Rows in the normalised space; an autoencoder's target is what it reads."""

    input_BD: torch.Tensor
    target_BD: torch.Tensor

    def __len__(self) -> int:
        return len(self.input_BD)

    def parts(self, count: int) -> list[Batch]:
        """Cut into equal parts."""
        if count == 1:
            return [self]
        pairs = zip(self.input_BD.chunk(count), self.target_BD.chunk(count), strict=True)
        return [Batch(*pair) for pair in pairs]


@dataclass(frozen=True)
class StepLosses:
    """Values of one step as 0-d tensors; ``loss`` is the sum that was differentiated.

    ``error_BD`` is output minus target, ``fired_F`` which latents were above zero.
    """

    loss: torch.Tensor
    reconstruction: torch.Tensor
    auxiliary: torch.Tensor
    sparsity: torch.Tensor
    l0: torch.Tensor
    error_BD: torch.Tensor
    fired_F: torch.Tensor


class Objective(ABC):
    """One activation's loss; adding one means adding a file and an entry to the registry.

    Args:
        architecture: Of the weights that it will be given.
        hyperparameters: The recipe.
        dtype: Number format of the dense products; they add up in float32 in any case.
    """

    def __init__(
        self,
        architecture: Architecture,
        hyperparameters: TrainingHyperparameters,
        dtype: torch.dtype,
    ) -> None:
        self.architecture, self.settings, self.dtype = architecture, hyperparameters, dtype
        self._product_BF: torch.Tensor | None = None

    @abstractmethod
    def step(
        self, weights: Weights, batch: Batch, dead: torch.Tensor, progress: float
    ) -> StepLosses:
        """Write ``.grad`` of every parameter and return the losses.

        Args:
            weights: In the normalised space.
            batch: Inputs and targets, float32.
            dead: Numbers of the latents that count as dead, int64.
            progress: Share of the run that is done, for warm-ups.
        """

    def encode(
        self, weights: Weights, centred_BD: torch.Tensor, bias_F: torch.Tensor
    ) -> torch.Tensor:
        """Return pre-activations (B, F), in a buffer that the next call overwrites."""
        encoder_FD: torch.Tensor = weights.W_enc_FD
        if centred_BD.dtype != torch.float64 and self.dtype != torch.float32:
            centred_BD = centred_BD.to(self.dtype)
            encoder_FD, bias_F = encoder_FD.to(self.dtype), bias_F.to(self.dtype)
        shape = (len(centred_BD), len(bias_F))
        buffer = self._product_BF
        if buffer is None or (buffer.shape, buffer.dtype) != (shape, centred_BD.dtype):
            buffer = self._product_BF = centred_BD.new_empty(shape)
        return torch.addmm(bias_F, centred_BD, encoder_FD.T, out=buffer)


def write_encoder_gradients(
    weights: Weights, active: ActiveLatents, d_pre: torch.Tensor, centred_BD: torch.Tensor
) -> torch.Tensor:
    """Write the encoder's gradient and add the centring's part to ``b_dec``'s.

    Returns:
        Sums of ``d_pre`` by latent, (F,): the gradient of a bias added to the product.
    """
    d_bias_F = active.sum_by_latent(d_pre)
    weights.W_enc_FD.grad = active.transposed(d_pre, centred_BD)
    if weights.architecture.centres_input:
        gradient_of(weights.b_dec_D).sub_(d_bias_F @ weights.W_enc_FD)
    return d_bias_F


def gradient_of(parameter: torch.nn.Parameter) -> torch.Tensor:
    """Return a gradient that was written earlier in the same step."""
    if parameter.grad is None:
        raise ValueError("gradients are written before others are added to them")
    return parameter.grad
