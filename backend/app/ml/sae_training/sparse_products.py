"""Products with k-sparse latents that never form the dense (batch x latents) matrix.

B batch, D model width, F latents, K kept per row. All are exact in float32 and deterministic on
a CPU; the cost is 2 B K D instead of 2 B F D.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import embedding_bag


def decode_sparse(
    values_BK: torch.Tensor, indices_BK: torch.Tensor, W_dec_FD: torch.Tensor
) -> torch.Tensor:
    """Return sum over k of ``values[b, k] * W_dec[indices[b, k]]``, (B, D)."""
    return embedding_bag(indices_BK, W_dec_FD, per_sample_weights=values_BK, mode="sum")


def sampled_products(
    rows_BD: torch.Tensor, weight_FD: torch.Tensor, indices_BK: torch.Tensor
) -> torch.Tensor:
    """Return ``rows[b] . weight[indices[b, k]]``, (B, K): a dense product at K places per row.

    It is the gradient of ``decode_sparse`` by its values, for which torch has a fused kernel; a
    gather and a batched product are ten times slower here.
    """
    with torch.enable_grad():
        values = torch.zeros(
            indices_BK.shape, dtype=rows_BD.dtype, device=rows_BD.device, requires_grad=True
        )
        out = decode_sparse(values, indices_BK, weight_FD.detach())
    return torch.autograd.grad(out, values, rows_BD.detach())[0]


@dataclass(frozen=True)
class LatentGroups:
    """The B*K pairs sorted by latent: a transposed view of k-sparse indices."""

    order: torch.Tensor
    rows: torch.Tensor
    offsets_F: torch.Tensor

    @classmethod
    def of(cls, indices_BK: torch.Tensor, n_latents: int) -> LatentGroups:
        flat = indices_BK.reshape(-1)
        order = torch.sort(flat, stable=True)[1]
        counts_F = torch.bincount(flat, minlength=n_latents)
        return cls(order, order // indices_BK.shape[1], torch.cumsum(counts_F, 0) - counts_F)

    def transposed_product(self, values_BK: torch.Tensor, rows_BD: torch.Tensor) -> torch.Tensor:
        """Return sum over the pairs of each latent of ``values * rows``, (F, D)."""
        weights = values_BK.reshape(-1)[self.order]
        return embedding_bag(
            self.rows, rows_BD, offsets=self.offsets_F, per_sample_weights=weights, mode="sum"
        )


def sum_by_latent(
    values_BK: torch.Tensor, indices_BK: torch.Tensor, n_latents: int
) -> torch.Tensor:
    """Return the column sums (F,) of k-sparse values."""
    total_F = values_BK.new_zeros(n_latents)
    return total_F.index_add_(0, indices_BK.reshape(-1), values_BK.reshape(-1))
