"""Products with k-sparse latents that never form the dense (batch x latents) matrix.

B batch, D model width, F latents, K kept per row. All are exact in float32 and deterministic on
a CPU; the cost is 2 B K D instead of 2 B F D.
"""

from __future__ import annotations

import torch
from torch.nn.functional import embedding_bag

from app.ml.sae_training.row_lists import row_products


def decode_sparse(
    values_BK: torch.Tensor, indices_BK: torch.Tensor, W_dec_FD: torch.Tensor
) -> torch.Tensor:
    """Return sum over k of ``values[b, k] * W_dec[indices[b, k]]``, (B, D)."""
    return embedding_bag(indices_BK, W_dec_FD, per_sample_weights=values_BK, mode="sum")


def sampled_products(
    rows_BD: torch.Tensor, weight_FD: torch.Tensor, indices_BK: torch.Tensor
) -> torch.Tensor:
    """Return ``rows[b] . weight[indices[b, k]]``, (B, K): a dense product at K places per row."""
    n_rows, k = indices_BK.shape
    rows = torch.arange(n_rows + 1, device=indices_BK.device)
    found = row_products(
        rows_BD, weight_FD, indices_BK.reshape(-1), rows * k, rows[:-1].repeat_interleave(k),
        rows_BD.dtype,
    )  # fmt: skip
    return found.view_as(indices_BK)
