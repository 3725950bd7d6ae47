"""Runs of equal numbers in sorted ones."""

from __future__ import annotations

import torch


def run_starts(sorted_keys: torch.Tensor) -> torch.Tensor:
    """Return where a run of equal numbers begins, bool."""
    starts = torch.ones_like(sorted_keys, dtype=torch.bool)
    torch.ne(sorted_keys[1:], sorted_keys[:-1], out=starts[1:])
    return starts


def sums_by_key(
    keys: torch.Tensor, counts: torch.Tensor | None, sums: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Add up by key: keys int64 rising, counts int32 (of 1 each if None), sums float64."""
    keys, order = keys.sort(stable=True)
    starts = run_starts(keys)
    groups = starts.cumsum(0) - 1
    distinct = keys[starts]
    added = sums.new_zeros(len(distinct), dtype=torch.float64)
    added.index_add_(0, groups, sums.index_select(0, order).double())
    if counts is None:
        return distinct, torch.bincount(groups, minlength=len(distinct)).int(), added
    counted = counts.new_zeros(len(distinct))
    return distinct, counted.index_add_(0, groups, counts.index_select(0, order)), added
