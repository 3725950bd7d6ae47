"""The trainable weights, in the normalised space."""

from __future__ import annotations

import torch
from torch import nn

from app.ml.sae_training.architecture import Architecture
from app.ml.sae_training.skip_path import SkipPath

NORM_FLOOR = 1e-8
UNSET_THRESHOLD = -1.0


class Weights(nn.Module):
    """Parameters of a dictionary; encoder and decoder are stored latent by latent (F, D).

    Latents are ``f(W_enc x_c + b_enc)`` with ``x_c = x - b_dec`` where the architecture centres
    its input, else ``x``; the output is ``latents W_dec + b_dec (+ skip(x))``. Beside them stand
    ``threshold_F`` (jumprelu), ``b_gate_F`` and ``r_mag_F`` (gated) and the buffer
    ``batch_threshold`` (batchtopk; below 0 until it is learned). Gradients are written by the
    objectives, hence no autograd.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        d_in, d_out, d_sae = architecture.d_in, architecture.d_out, architecture.d_sae
        self.W_enc_FD = _parameter(d_sae, d_in)
        self.W_dec_FD = _parameter(d_sae, d_out)
        self.b_enc_F = _parameter(d_sae)
        self.b_dec_D = _parameter(d_out)
        if architecture.activation == "jumprelu":
            self.threshold_F = _parameter(d_sae)
        if architecture.activation == "gated":
            self.b_gate_F, self.r_mag_F = _parameter(d_sae), _parameter(d_sae)
        if architecture.activation == "batchtopk":
            self.register_buffer("batch_threshold", torch.tensor(UNSET_THRESHOLD))
        self.skip: SkipPath | None = None
        if architecture.skip_rank is not None:
            self.skip = SkipPath(d_in, d_out, architecture.skip_rank)

    batch_threshold: torch.Tensor

    @property
    def d_sae(self) -> int:
        return self.architecture.d_sae

    def centred(self, x_BD: torch.Tensor) -> torch.Tensor:
        return x_BD - self.b_dec_D if self.architecture.centres_input else x_BD

    def project_decoder_gradient(self) -> None:
        """Remove the part of the decoder's gradient that only changes norms which are held."""
        gradient = self.W_dec_FD.grad
        if gradient is not None and self.architecture.has_unit_decoder:
            along_F1 = torch.linalg.vecdot(gradient, self.W_dec_FD).unsqueeze(1)
            gradient.addcmul_(along_F1, self.W_dec_FD, value=-1)

    def constrain(self) -> None:
        """Put back what a step must not change: decoder norms, and no threshold below 0."""
        if self.architecture.has_unit_decoder:
            self.normalise_decoder()
        if self.architecture.activation == "jumprelu":
            self.threshold_F.clamp_min_(0)

    def normalise_decoder(self) -> None:
        """Give every decoder row norm 1; projecting gradients alone lets the norms drift."""
        norms_F1 = self.W_dec_FD.norm(dim=1, keepdim=True).clamp_min(NORM_FLOOR)
        self.W_dec_FD.div_(norms_F1)


def _parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(*shape), requires_grad=False)
