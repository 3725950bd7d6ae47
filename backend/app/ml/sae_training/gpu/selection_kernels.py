"""The k largest entries of every row, exactly, with one read of the matrix.

``torch.topk`` counts or sorts each row several times in memory. Here a row is cut into groups; the
k-th largest of the groups' maxima bounds the k-th largest entry from below, so that little more
than k candidates are written, and a second kernel chooses among them. The row is read twice, but
from the cache the second time. B rows, F columns, K kept.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

MOST_GROUPS = 8192
GROUPS_PER_K = 16
FEWEST_GROUPS = 256
CANDIDATES_PER_K = 4
COLUMNS_PER_WARP = 256


def fits(n_columns: int, k: int) -> bool:
    """Return whether the groups of such a row can be held in registers."""
    return 0 < k <= n_columns and GROUPS_PER_K * k <= MOST_GROUPS


def largest_per_row(pre_BF: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return values in the matrix' type and columns int64, (B, K) each, in rising column order.

    Among equal entries the first are kept, so the answer does not depend on timing.
    """
    n_rows, n_columns = pre_BF.shape
    groups = max(int(triton.next_power_of_2(GROUPS_PER_K * k)), FEWEST_GROUPS)
    while groups < MOST_GROUPS and n_columns > 16 * groups:
        groups *= 2
    capacity = int(triton.next_power_of_2(CANDIDATES_PER_K * k))
    bits = 8 * pre_BF.element_size()
    keys_BC = pre_BF.new_empty((n_rows, capacity), dtype=torch.int32)
    columns_BC = torch.empty_like(keys_BC)
    counts_B = pre_BF.new_empty(n_rows, dtype=torch.int32)
    _propose[(n_rows,)](
        pre_BF, keys_BC, columns_BC, counts_B, n_columns, k,
        BITS=bits, GROUPS=groups, CAPACITY=capacity,
        num_warps=max(groups // COLUMNS_PER_WARP, 1),
    )  # fmt: skip
    values_BK = pre_BF.new_empty((n_rows, k))
    indices_BK = pre_BF.new_empty((n_rows, k), dtype=torch.int64)
    _choose[(n_rows,)](
        keys_BC, columns_BC, counts_B, values_BK, indices_BK, k,
        BITS=bits, CAPACITY=capacity, num_warps=max(capacity // COLUMNS_PER_WARP, 1),
    )  # fmt: skip
    return values_BK, indices_BK


@triton.jit
def _keys_of(values, BITS: tl.constexpr):
    """Unsigned integers in the order of the numbers; NaN is the largest, as in ``torch.topk``."""
    if BITS == 16:
        signed = values.to(tl.int16, bitcast=True).to(tl.int32)
        return ((signed ^ ((signed >> 15) & 0x7FFF)) + 0x8000).to(tl.uint32)
    else:  # noqa: RET505 - Triton compiles both branches otherwise
        signed = values.to(tl.int32, bitcast=True)
        ordered = signed ^ ((signed >> 31) & 0x7FFFFFFF)
        return ordered.to(tl.uint32, bitcast=True) ^ 0x80000000


@triton.jit
def _values_of(keys, BITS: tl.constexpr, FORMAT: tl.constexpr):
    if BITS == 16:
        ordered = keys.to(tl.int32) - 0x8000
        signed = ordered ^ ((ordered >> 15) & 0x7FFF)
        return signed.to(tl.int16).to(FORMAT, bitcast=True)
    else:  # noqa: RET505
        ordered = (keys ^ 0x80000000).to(tl.int32, bitcast=True)
        return (ordered ^ ((ordered >> 31) & 0x7FFFFFFF)).to(FORMAT, bitcast=True)


@triton.jit
def _part(row_start, first, n_columns, BITS: tl.constexpr, GROUPS: tl.constexpr):
    """Keys of the next columns, one of each group, and which of them lie in the row."""
    columns = first + tl.arange(0, GROUPS)
    inside = columns < n_columns
    values = tl.load(row_start + columns, mask=inside, other=0.0)
    return tl.where(inside, _keys_of(values, BITS), 0), inside, columns


@triton.jit
def _kth_largest(keys, k, BITS: tl.constexpr):
    """The largest number that at least k keys reach, found bit by bit; 0 if there are fewer."""
    bound = tl.zeros((), dtype=tl.uint32)
    step = tl.full((), 1 << (BITS - 1), dtype=tl.uint32)
    for _place in range(BITS):
        higher = bound + step
        step = step >> 1
        bound = tl.where(tl.sum((keys >= higher).to(tl.int32)) >= k, higher, bound)
    return bound


@triton.jit
def _kth_largest_of_row(row_start, n_columns, k, BITS: tl.constexpr, GROUPS: tl.constexpr):
    bound = tl.zeros((), dtype=tl.uint32)
    step = tl.full((), 1 << (BITS - 1), dtype=tl.uint32)
    for _place in range(BITS):
        higher = bound + step
        step = step >> 1
        reaching = tl.zeros((), dtype=tl.int32)
        for first in range(0, n_columns, GROUPS):
            keys, inside, _columns = _part(row_start, first, n_columns, BITS, GROUPS)
            reaching += tl.sum(((keys >= higher) & inside).to(tl.int32))
        bound = tl.where(reaching >= k, higher, bound)
    return bound


@triton.jit
def _propose(
    pre, keys_out, columns_out, counts_out, n_columns, k,
    BITS: tl.constexpr, GROUPS: tl.constexpr, CAPACITY: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    row_start = pre + row * n_columns
    best = tl.zeros((GROUPS,), dtype=tl.uint32)
    for first in range(0, n_columns, GROUPS):
        keys, _inside, _columns = _part(row_start, first, n_columns, BITS, GROUPS)
        best = tl.maximum(best, keys)
    bound = _kth_largest(best, k, BITS)
    count = tl.zeros((), dtype=tl.int32)
    for first in range(0, n_columns, GROUPS):
        keys, inside, columns = _part(row_start, first, n_columns, BITS, GROUPS)
        kept = (keys >= bound) & inside
        ones = kept.to(tl.int32)
        slots = count + tl.cumsum(ones, axis=0) - ones
        count += tl.sum(ones)
        store = kept & (slots < CAPACITY)
        tl.store(keys_out + row * CAPACITY + slots, keys.to(tl.int32, bitcast=True), mask=store)
        tl.store(columns_out + row * CAPACITY + slots, columns, mask=store)
    if count > CAPACITY:  # crowded groups or many equal entries: the choice is made here
        bound = _kth_largest_of_row(row_start, n_columns, k, BITS, GROUPS)
        over = tl.zeros((), dtype=tl.int32)
        for first in range(0, n_columns, GROUPS):
            keys, inside, _columns = _part(row_start, first, n_columns, BITS, GROUPS)
            over += tl.sum(((keys > bound) & inside).to(tl.int32))
        missing = k - over
        count = tl.zeros((), dtype=tl.int32)
        for first in range(0, n_columns, GROUPS):
            keys, inside, columns = _part(row_start, first, n_columns, BITS, GROUPS)
            equal = ((keys == bound) & inside).to(tl.int32)
            is_first = tl.cumsum(equal, axis=0) <= missing
            missing -= tl.minimum(tl.sum(equal), missing)
            kept = ((keys > bound) & inside) | ((equal > 0) & is_first)
            ones = kept.to(tl.int32)
            slots = count + tl.cumsum(ones, axis=0) - ones
            count += tl.sum(ones)
            tl.store(keys_out + row * CAPACITY + slots, keys.to(tl.int32, bitcast=True), mask=kept)
            tl.store(columns_out + row * CAPACITY + slots, columns, mask=kept)
    tl.store(counts_out + row, count)


@triton.jit
def _choose(
    keys_in, columns_in, counts_in, values_out, indices_out, k,
    BITS: tl.constexpr, CAPACITY: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    slots = tl.arange(0, CAPACITY)
    inside = slots < tl.load(counts_in + row)
    loaded = tl.load(keys_in + row * CAPACITY + slots, mask=inside, other=0)
    keys = loaded.to(tl.uint32, bitcast=True)
    columns = tl.load(columns_in + row * CAPACITY + slots, mask=inside, other=0)
    bound = _kth_largest(keys, k, BITS)
    over = (keys > bound) & inside
    equal = ((keys == bound) & inside).to(tl.int32)
    missing = k - tl.sum(over.to(tl.int32))
    kept = over | ((equal > 0) & (tl.cumsum(equal, axis=0) <= missing))
    ones = kept.to(tl.int32)
    places = row * k + tl.cumsum(ones, axis=0) - ones
    values = _values_of(keys, BITS, values_out.dtype.element_ty)
    tl.store(values_out + places, values, mask=kept)
    tl.store(indices_out + places, columns.to(tl.int64), mask=kept)
