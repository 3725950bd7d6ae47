"""The linear path from what is read to what is written, past the latents."""

from __future__ import annotations

import torch
from torch import nn


class SkipPath(nn.Module):
    """``x W_read^T W_write^T`` of a given rank; at full rank only ``W_write`` exists.

    It starts at zero: the latents get the first gradient, the path what they leave. Where input
    and output are the same activation its rank must be small: a full one learns to copy.
    Suffixes: D input width, O output width, R rank.
    """

    def __init__(self, d_in: int, d_out: int, rank: int) -> None:
        super().__init__()
        is_full = rank >= min(d_in, d_out)
        self.write_OR = nn.Parameter(torch.zeros(d_out, d_in if is_full else rank), False)
        self.read_RD: nn.Parameter | None = None
        if not is_full:
            self.read_RD = nn.Parameter(torch.zeros(rank, d_in), False)

    def initialise(self, generator: torch.Generator) -> None:
        """Read in random orthonormal directions and write nothing yet."""
        if self.read_RD is not None:
            rank, d_in = self.read_RD.shape
            directions_DR = torch.linalg.qr(torch.randn(d_in, rank, generator=generator))[0]
            self.read_RD.copy_(directions_DR.T)

    def forward(self, x_BD: torch.Tensor) -> torch.Tensor:
        return self._read(x_BD) @ self.write_OR.T

    def write_gradients(self, x_BD: torch.Tensor, d_output_BO: torch.Tensor) -> None:
        self.write_OR.grad = d_output_BO.T @ self._read(x_BD)
        if self.read_RD is not None:
            self.read_RD.grad = (d_output_BO @ self.write_OR).T @ x_BD

    def matrix(self) -> torch.Tensor:
        """Return the path as one matrix (O, D)."""
        write_OR = self.write_OR.detach()
        return write_OR.clone() if self.read_RD is None else write_OR @ self.read_RD.detach()

    def _read(self, x_BD: torch.Tensor) -> torch.Tensor:
        return x_BD if self.read_RD is None else x_BD @ self.read_RD.T
