"""The k largest entries of every row, exactly, with one read of the matrix.

``torch.topk`` counts or sorts each row several times in memory. Here a row is dealt to groups,
column c to group c mod G. The k-th largest of the groups' maxima bounds the k-th largest entry from
below, so only the few groups that reach it can hold an entry that is kept: the first kernel finds
them, the second one chooses among their entries. B rows, F columns, K kept, G groups.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

GROUPS_PER_K = 16
FEWEST_GROUPS, MOST_GROUPS = 256, 8192
MOST_PARTS = 16
MOST_CHOSEN_FROM = 16_384
GROUPS_PER_WARP, PLACES_PER_WARP = 512, 256


def fits(n_columns: int, k: int) -> bool:
    """Return whether groups and candidates of such a row can be held in registers."""
    groups = _groups_of(n_columns, k)
    parts = triton.cdiv(n_columns, groups)
    chosen_from = triton.next_power_of_2(parts) * _capacity_of(k)
    return 0 < k <= n_columns and groups <= MOST_GROUPS and chosen_from <= MOST_CHOSEN_FROM


def _groups_of(n_columns: int, k: int) -> int:
    groups = max(int(triton.next_power_of_2(GROUPS_PER_K * k)), FEWEST_GROUPS)
    while n_columns > MOST_PARTS * groups:
        groups *= 2
    return groups


def _capacity_of(k: int) -> int:
    return int(triton.next_power_of_2(2 * k))


def largest_per_row(pre_BF: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return values in the matrix' type and columns int64, (B, K) each, in rising column order.

    Among equal entries the first are kept, so the answer does not depend on timing.
    """
    n_rows, n_columns = pre_BF.shape
    groups, capacity = _groups_of(n_columns, k), _capacity_of(k)
    parts = triton.cdiv(n_columns, groups)
    shape = {"COLUMNS": n_columns, "GROUPS": groups, "CAPACITY": capacity}
    shape["BITS"] = 8 * pre_BF.element_size()
    found_BC = pre_BF.new_empty((n_rows, capacity), dtype=torch.int32)
    counts_B = pre_BF.new_empty(n_rows, dtype=torch.int32)
    warps = min(max(groups // GROUPS_PER_WARP, 1), 32)
    _find_groups[(n_rows,)](
        pre_BF, found_BC, counts_B, k, **shape, PARTS=parts, num_warps=warps
    )  # fmt: skip
    values_BK = pre_BF.new_empty((n_rows, k))
    indices_BK = pre_BF.new_empty((n_rows, k), dtype=torch.int64)
    places = int(triton.next_power_of_2(parts)) * capacity
    _choose[(n_rows,)](
        pre_BF, found_BC, counts_B, values_BK, indices_BK, k, **shape, PLACES=places,
        num_warps=min(max(places // PLACES_PER_WARP, 1), 32),
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
def _part(row_start, part, COLUMNS: tl.constexpr, BITS: tl.constexpr, GROUPS: tl.constexpr):
    """Keys of one column of each group, and which of them lie in the row."""
    columns = part * GROUPS + tl.arange(0, GROUPS)
    inside = columns < COLUMNS
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
def _kth_largest_of_row(
    row_start, k, COLUMNS: tl.constexpr, BITS: tl.constexpr, GROUPS: tl.constexpr,
    PARTS: tl.constexpr,
):  # fmt: skip
    bound = tl.zeros((), dtype=tl.uint32)
    step = tl.full((), 1 << (BITS - 1), dtype=tl.uint32)
    for _place in range(BITS):
        higher = bound + step
        step = step >> 1
        reaching = tl.zeros((), dtype=tl.int32)
        for part in range(PARTS):
            keys, inside, _columns = _part(row_start, part, COLUMNS, BITS, GROUPS)
            reaching += tl.sum(((keys >= higher) & inside).to(tl.int32))
        bound = tl.where(reaching >= k, higher, bound)
    return bound


@triton.jit
def _find_groups(
    pre, found, counts, k, COLUMNS: tl.constexpr, GROUPS: tl.constexpr, CAPACITY: tl.constexpr,
    BITS: tl.constexpr, PARTS: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    row_start = pre + row * COLUMNS
    best = tl.zeros((GROUPS,), dtype=tl.uint32)
    for part in tl.static_range(PARTS):
        keys, _inside, _columns = _part(row_start, part, COLUMNS, BITS, GROUPS)
        best = tl.maximum(best, keys)
    bound = _kth_largest(best, k, BITS)
    groups = tl.arange(0, GROUPS)
    reached = (best >= bound) & (groups < COLUMNS)
    ones = reached.to(tl.int32)
    count = tl.sum(ones)
    if count <= CAPACITY:
        slots = tl.cumsum(ones, axis=0) - ones
        tl.store(found + row * CAPACITY + slots, groups, mask=reached)
    else:  # many equal maxima: the choice is made here
        bound = _kth_largest_of_row(row_start, k, COLUMNS, BITS, GROUPS, PARTS)
        over = tl.zeros((), dtype=tl.int32)
        for again in range(PARTS):
            keys, inside, _columns = _part(row_start, again, COLUMNS, BITS, GROUPS)
            over += tl.sum(((keys > bound) & inside).to(tl.int32))
        missing = k - over
        written = tl.zeros((), dtype=tl.int32)
        for again in range(PARTS):
            keys, inside, columns = _part(row_start, again, COLUMNS, BITS, GROUPS)
            equal = ((keys == bound) & inside).to(tl.int32)
            is_first = tl.cumsum(equal, axis=0) <= missing
            missing -= tl.minimum(tl.sum(equal), missing)
            kept = ((keys > bound) & inside) | ((equal > 0) & is_first)
            kept_ones = kept.to(tl.int32)
            slots = written + tl.cumsum(kept_ones, axis=0) - kept_ones
            written += tl.sum(kept_ones)
            tl.store(found + row * CAPACITY + slots, columns, mask=kept)
        count = tl.full((), -1, dtype=tl.int32)
    tl.store(counts + row, count)


@triton.jit
def _choose(
    pre, found, counts, values_out, indices_out, k, COLUMNS: tl.constexpr, GROUPS: tl.constexpr,
    CAPACITY: tl.constexpr, BITS: tl.constexpr, PLACES: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    count = tl.load(counts + row)
    places = tl.arange(0, PLACES)
    slots, parts = places % CAPACITY, places // CAPACITY
    if count < 0:
        listed = places < k
        columns = tl.load(found + row * CAPACITY + places, mask=listed, other=0)
    else:  # rising columns: all groups' first entries, then their second ones, and so on
        group = tl.load(found + row * CAPACITY + slots, mask=slots < count, other=0)
        columns = group + parts * GROUPS
        listed = (slots < count) & (columns < COLUMNS)
    values = tl.load(pre + row * COLUMNS + columns, mask=listed, other=0.0)
    keys = tl.where(listed, _keys_of(values, BITS), 0)
    bound = _kth_largest(keys, k, BITS)
    over = (keys > bound) & listed
    equal = ((keys == bound) & listed).to(tl.int32)
    missing = k - tl.sum(over.to(tl.int32))
    kept = over | ((equal > 0) & (tl.cumsum(equal, axis=0) <= missing))
    ones = kept.to(tl.int32)
    targets = row * k + tl.cumsum(ones, axis=0) - ones
    tl.store(values_out + targets, values, mask=kept)
    tl.store(indices_out + targets, columns.to(tl.int64), mask=kept)
