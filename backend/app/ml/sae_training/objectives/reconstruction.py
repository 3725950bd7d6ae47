"""Mean squared error of the output, whole or of nested dictionaries, and its gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from app.ml.sae_training.active_latents import ActiveLatents
from app.ml.sae_training.objectives.base import Batch
from app.ml.sae_training.weights import Weights


@dataclass(frozen=True)
class Reconstruction:
    """``loss`` 0-d, ``error_BD`` of the whole dictionary, ``d_values`` by the latents' values."""

    loss: torch.Tensor
    error_BD: torch.Tensor
    d_values: torch.Tensor


def reconstruct(
    weights: Weights,
    batch: Batch,
    active: ActiveLatents,
    values: torch.Tensor,
    sizes: tuple[int, ...] = (),
) -> Reconstruction:
    """Compute the output's error and write the gradients of decoder, ``b_dec`` and skip path.

    With several ``sizes`` the loss is the mean over dictionaries of the first ``size`` latents
    each (Bussmann et al. 2025, Matryoshka SAEs).
    """
    error_BD = weights.b_dec_D - batch.target_BD
    if weights.skip is not None:
        error_BD += weights.skip(batch.input_BD)
    if len(sizes) > 1:
        found, d_output_BD = _nested(weights, active, values, error_BD, sizes)
    else:
        error_BD += active.decode(values, weights.W_dec_FD)
        d_output_BD = error_BD * (2 / error_BD.numel())
        weights.W_dec_FD.grad = active.transposed(values, d_output_BD)
        d_values = active.products(d_output_BD, weights.W_dec_FD)
        found = Reconstruction(error_BD.square().mean(), error_BD, d_values)
    weights.b_dec_D.grad = d_output_BD.sum(dim=0)
    if weights.skip is not None:
        weights.skip.write_gradients(batch.input_BD, d_output_BD)
    return found


def _nested(
    weights: Weights,
    active: ActiveLatents,
    values: torch.Tensor,
    error_BD: torch.Tensor,
    sizes: tuple[int, ...],
) -> tuple[Reconstruction, torch.Tensor]:
    """Return the figures and the sum of the nested outputs' gradients.

    A latent takes part in every dictionary that is large enough to hold it.
    """
    parts, errors = active.parts(sizes), []
    for part in parts:
        decoder_FD = weights.W_dec_FD[part.first : part.last]
        error_BD = error_BD + part.active.decode(part.of(values), decoder_FD)
        errors.append(error_BD)
    d_values, d_decoder_FD = torch.empty_like(values), torch.empty_like(weights.W_dec_FD)
    d_output_BD = torch.zeros_like(error_BD)
    for part, error in zip(reversed(parts), reversed(errors), strict=True):
        d_output_BD = d_output_BD + error * (2 / (error.numel() * len(sizes)))
        decoder_FD = weights.W_dec_FD[part.first : part.last]
        part.put(d_values, part.active.products(d_output_BD, decoder_FD))
        rows = slice(part.first, part.last)
        d_decoder_FD[rows] = part.active.transposed(part.of(values), d_output_BD)
    weights.W_dec_FD.grad = d_decoder_FD
    loss = torch.stack([error.square().mean() for error in errors]).mean()
    return Reconstruction(loss, errors[-1], d_values), d_output_BD
