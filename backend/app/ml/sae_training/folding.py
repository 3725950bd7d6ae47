"""From weights of the normalised space to a dictionary that reads original activations."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from app.ml.sae_training.normalisation import Normalisation
from app.ml.sae_training.weights import Weights


@dataclass(frozen=True)
class InferenceForm:
    """What ``SparseAutoencoder`` is built from.

    A batchtopk dictionary becomes a jumprelu one with the threshold that it learned, or a topk
    one as long as it has not learned any.
    """

    tensors: dict[str, torch.Tensor]
    activation: str
    k: int | None
    centres_input: bool


def fold(weights: Weights, read: Normalisation, written: Normalisation, k: int) -> InferenceForm:
    """Fold both normalisations away; latents come out in units of what is written.

    Every activation commutes with a positive factor, so the normalised latents divided by the
    written scale t need ``b / t`` for each bias and threshold and ``W_enc s / t`` for inputs of
    scale s: ``f(W (s (x - m)) + b) / t = f((s / t) W x + (b / t - (s / t) W m))``. Where the
    dictionary centres its input (s = t) the mean goes into ``b_dec`` instead, which it subtracts.
    """
    architecture, ratio = weights.architecture, read.scale / written.scale
    encoder_FD = weights.W_enc_FD.detach() * ratio
    biases = {"b_enc_F": weights.b_enc_F.detach() / written.scale}
    if architecture.activation == "gated":
        biases["b_gate_F"] = weights.b_gate_F.detach() / written.scale
    b_dec_D = written.mean_D + weights.b_dec_D.detach() / written.scale
    tensors = {"W_dec_FD": weights.W_dec_FD.detach().clone()}
    if weights.skip is not None:
        tensors["W_skip_DD"] = weights.skip.matrix() * ratio
        b_dec_D = b_dec_D - _product(tensors["W_skip_DD"], read.mean_D)
    if not architecture.centres_input:
        offset_F = _product(encoder_FD, read.mean_D)
        for name in biases:
            biases[name] = biases[name] - offset_F * _magnitude(weights, name)
    tensors |= biases | {"W_enc_DF": encoder_FD.T.contiguous(), "b_dec_D": b_dec_D}
    if architecture.activation == "gated":
        tensors["r_mag_F"] = weights.r_mag_F.detach().clone()
    activation, threshold_F = _inference_activation(weights)
    if threshold_F is not None:
        tensors["threshold_F"] = threshold_F / written.scale
    kept = k if activation == "topk" else None
    return InferenceForm(tensors, activation, kept, architecture.centres_input)


def _magnitude(weights: Weights, bias: str) -> torch.Tensor | float:
    """Return by what a gated dictionary multiplies the product that ``b_enc`` is added to."""
    is_magnitude = weights.architecture.activation == "gated" and bias == "b_enc_F"
    return weights.r_mag_F.detach().exp() if is_magnitude else 1.0


def _inference_activation(weights: Weights) -> tuple[str, torch.Tensor | None]:
    activation = weights.architecture.activation
    if activation == "jumprelu":
        return activation, weights.threshold_F.detach()
    if activation != "batchtopk":
        return activation, None
    if weights.batch_threshold < 0:
        return "topk", None
    return "jumprelu", weights.batch_threshold.expand(weights.d_sae).contiguous()


def _product(matrix: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """Multiply in float64: means are many times larger than what varies around them."""
    return (matrix.double() @ vector.double()).to(matrix.dtype)
