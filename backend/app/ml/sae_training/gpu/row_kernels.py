"""Sums and products over lists of rows, without atomic additions: equal runs give equal bits.

A list e = offsets[b] .. offsets[b + 1] - 1 names rows ``indices[e]`` of a table. Tables may be
bfloat16; everything adds up in float32.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

WIDEST_BLOCK = 256
"""Sums take one warp per list: four that must add up together took eight times as long."""


def row_sums(
    table_ND: torch.Tensor, indices: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Return per list the sum of ``weights[e] * table[indices[e]]``, float32 (lists, D)."""
    n_lists, width = len(offsets) - 1, table_ND.shape[1]
    out = torch.empty(n_lists, width, dtype=torch.float32, device=table_ND.device)
    block = _block_of(width)
    _row_sums[(n_lists,)](
        table_ND, indices, weights, offsets, out, width,
        ENTRIES=4, WIDTH=block, num_warps=1,
    )  # fmt: skip
    return out


def row_products(
    rows_BD: torch.Tensor, table_ND: torch.Tensor, indices: torch.Tensor, offsets: torch.Tensor
) -> torch.Tensor:
    """Return ``rows[b] . table[indices[e]]`` for every entry of every list, float32 (entries,)."""
    out = torch.empty(len(indices), dtype=torch.float32, device=rows_BD.device)
    _row_products[(len(offsets) - 1,)](
        rows_BD, table_ND, indices, offsets, out, rows_BD.shape[1],
        ENTRIES=8, WIDTH=_block_of(rows_BD.shape[1]), num_warps=4,
    )  # fmt: skip
    return out


def list_sums(values: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Return the sum of each list's values, float32 (lists,)."""
    out = torch.empty(len(offsets) - 1, dtype=torch.float32, device=values.device)
    _list_sums[(len(out),)](values, offsets, out, ENTRIES=32, num_warps=1)
    return out


def _block_of(width: int) -> int:
    return min(int(triton.next_power_of_2(width)), WIDEST_BLOCK)


@triton.jit
def _row_sums(
    table, indices, weights, offsets, out, width, ENTRIES: tl.constexpr, WIDTH: tl.constexpr
):
    number = tl.program_id(0)
    start, end = tl.load(offsets + number), tl.load(offsets + number + 1)
    for left in range(0, width, WIDTH):
        columns = left + tl.arange(0, WIDTH)
        inside = columns < width
        total = tl.zeros((ENTRIES, WIDTH), dtype=tl.float32)
        for first in range(start, end, ENTRIES):
            places = first + tl.arange(0, ENTRIES)
            listed = places < end
            rows = tl.load(indices + places, mask=listed, other=0).to(tl.int64)
            weight = tl.load(weights + places, mask=listed, other=0.0)
            tile = tl.load(
                table + rows[:, None] * width + columns[None, :],
                mask=listed[:, None] & inside[None, :],
                other=0.0,
            )
            total += tile.to(tl.float32) * weight[:, None]
        tl.store(out + number.to(tl.int64) * width + columns, tl.sum(total, axis=0), mask=inside)


@triton.jit
def _row_products(
    rows, table, indices, offsets, out, width, ENTRIES: tl.constexpr, WIDTH: tl.constexpr
):
    number = tl.program_id(0)
    start, end = tl.load(offsets + number), tl.load(offsets + number + 1)
    for first in range(start, end, ENTRIES):
        places = first + tl.arange(0, ENTRIES)
        listed = places < end
        numbers = tl.load(indices + places, mask=listed, other=0).to(tl.int64)
        total = tl.zeros((ENTRIES, WIDTH), dtype=tl.float32)
        for left in range(0, width, WIDTH):
            columns = left + tl.arange(0, WIDTH)
            inside = columns < width
            row = tl.load(rows + number.to(tl.int64) * width + columns, mask=inside, other=0.0)
            tile = tl.load(
                table + numbers[:, None] * width + columns[None, :],
                mask=listed[:, None] & inside[None, :],
                other=0.0,
            )
            total += tile.to(tl.float32) * row.to(tl.float32)[None, :]
        tl.store(out + places, tl.sum(total, axis=1), mask=listed)


@triton.jit
def _list_sums(values, offsets, out, ENTRIES: tl.constexpr):
    number = tl.program_id(0)
    start, end = tl.load(offsets + number), tl.load(offsets + number + 1)
    total = tl.zeros((ENTRIES,), dtype=tl.float32)
    for first in range(start, end, ENTRIES):
        places = first + tl.arange(0, ENTRIES)
        total += tl.load(values + places, mask=places < end, other=0.0)
    tl.store(out + number, tl.sum(total))
