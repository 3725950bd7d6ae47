"""Sums and products over lists of a table's rows: the core of every k-sparse product.

List ``b`` is the entries ``offsets[b] .. offsets[b + 1] - 1``; entry e names row ``indices[e]`` of
the table. A GPU has kernels of its own (``gpu/row_kernels.py``), which read the table in 16 bits
where products run in them; every path adds up in float32 (float64 for such tables).
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import embedding_bag

from app.ml.lazy import lazy_module
from app.ml.sae_training.gpu import has_kernels

_kernels: Any = lazy_module("app.ml.sae_training.gpu.row_kernels")


def offsets_of(sorted_lists: torch.Tensor, n_lists: int) -> torch.Tensor:
    """Return where each list begins and the last ends, int64 (n_lists + 1,), without waiting."""
    numbers = torch.arange(n_lists + 1, dtype=sorted_lists.dtype, device=sorted_lists.device)
    return torch.searchsorted(sorted_lists, numbers)


def row_sums(
    table_ND: torch.Tensor,
    indices: torch.Tensor,
    offsets: torch.Tensor,
    weights: torch.Tensor,
    dtype: torch.dtype,
) -> torch.Tensor:
    """Return per list the sum of ``weights[e] * table[indices[e]]``, (lists, D)."""
    if has_kernels(table_ND):
        sums: torch.Tensor = _kernels.row_sums(table_ND.to(dtype), indices, offsets, weights)
        return sums
    return embedding_bag(
        indices, table_ND, offsets=offsets[:-1], per_sample_weights=weights, mode="sum"
    )


def row_products(
    rows_BD: torch.Tensor,
    table_ND: torch.Tensor,
    indices: torch.Tensor,
    offsets: torch.Tensor,
    list_of: torch.Tensor,
    dtype: torch.dtype,
) -> torch.Tensor:
    """Return ``rows[b] . table[indices[e]]`` for every entry, (entries,); ``list_of`` gives b."""
    if has_kernels(table_ND):
        products: torch.Tensor = _kernels.row_products(
            rows_BD, table_ND.to(dtype), indices, offsets
        )
        return products
    # The kernel behind embedding_bag's gradient by its weights; a gather and a batched product
    # are ten times slower on a CPU.
    backward = torch.ops.aten._embedding_bag_per_sample_weights_backward
    found: torch.Tensor = backward(rows_BD, table_ND, indices, offsets[:-1], list_of, 0)
    return found


def list_sums(values: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Return the sum of each list's values on a GPU, (lists,): the same bits at every run."""
    sums: torch.Tensor = _kernels.list_sums(values, offsets)
    return sums
