"""The largest entries of a matrix of pre-activations, without sorting whole rows.

``torch.topk`` over rows of thousands of numbers costs a third of the encoder product on a CPU. A
lower bound of the k-th largest leaves little more than k candidates per row, and the choice
among them is exact. Shapes: B rows, F latents, K kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from app.ml.lazy import lazy_module
from app.ml.sae_training.gpu import has_kernels

_kernels: Any = lazy_module("app.ml.sae_training.gpu.selection_kernels")
GROUPS_PER_K = 2
MIN_GROUP = 8
SAMPLE_STRIDE = 61
SAMPLE_MARGIN = 1.25
MIN_BATCH_ENTRIES = 1 << 18


def largest_per_row(pre_BF: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return values and indices (B, K) of the k largest of each row, unsorted.

    The bound: cut a row into 2k groups; the k-th largest of the groups' maxima is exceeded or
    met by at least k entries, and on average by about 1.4 k.
    """
    n_groups = GROUPS_PER_K * k
    size = pre_BF.shape[1] // max(n_groups, 1)
    if has_kernels(pre_BF) and _kernels.fits(pre_BF.shape[1], k):
        found: tuple[torch.Tensor, torch.Tensor] = _kernels.largest_per_row(pre_BF, k)
        return found
    if pre_BF.device.type != "cpu" or size < MIN_GROUP:
        return _topk(pre_BF, k)
    maxima_BG = torch.unflatten(pre_BF[:, : size * n_groups], 1, (size, n_groups)).amax(dim=1)
    # NumPy partitions short rows several times faster than torch's topk.
    bound_B = np.partition(maxima_BG.float().numpy(), n_groups - k, axis=1)[:, n_groups - k]
    mask_BF = pre_BF >= torch.from_numpy(bound_B).unsqueeze(1).to(pre_BF.dtype)
    flat = true_places(mask_BF)
    row_ends = np.arange(len(pre_BF) + 1) * pre_BF.shape[1]
    counts_B = np.diff(np.searchsorted(flat.numpy(), row_ends))
    if counts_B.min() < k:  # only where a row holds NaN
        return _topk(pre_BF, k)
    candidates_BC, columns_BC = _gathered(pre_BF, flat, counts_B)
    values_BK, chosen_BK = _topk(candidates_BC, k)
    return values_BK, columns_BC.gather(1, chosen_BK)


def _gathered(
    pre_BF: torch.Tensor, flat: torch.Tensor, counts_B: npt.NDArray[np.int64]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the entries at flat places and their columns, row by row, filled up with -inf."""
    n_rows, width = pre_BF.shape
    most = int(counts_B.max())
    firsts_B = np.cumsum(counts_B) - counts_B
    numbers_B = np.arange(n_rows)
    # Where an entry goes: its number within all, moved by what the rows before lack.
    moved = np.arange(len(flat)) + np.repeat(numbers_B * most - firsts_B, counts_B)
    goes_to = torch.from_numpy(moved)
    candidates = pre_BF.new_full((n_rows * most,), -torch.inf)
    candidates.index_copy_(0, goes_to, pre_BF.reshape(-1).index_select(0, flat))
    columns = flat.new_zeros(n_rows * most)
    columns.index_copy_(0, goes_to, flat - torch.from_numpy(np.repeat(numbers_B * width, counts_B)))
    return candidates.view(n_rows, most), columns.view(n_rows, most)


def largest_in_batch(pre_BF: torch.Tensor, n: int) -> torch.Tensor:
    """Return the flat places of the n largest positive entries, rising; fewer if fewer exist.

    The bound comes from every 61st entry; where it turns out too high, all positive entries are
    compared.
    """
    flat_pre = pre_BF.reshape(-1)
    if flat_pre.numel() >= MIN_BATCH_ENTRIES:
        sample = flat_pre[::SAMPLE_STRIDE]
        rank = min(int(SAMPLE_MARGIN * n / SAMPLE_STRIDE) + 8, len(sample))
        bound = sample.topk(rank, sorted=False).values.amin().item()
        if bound > 0 and len(places := true_places(pre_BF >= bound)) >= n:
            return _largest_of(flat_pre, places, n)
    return _largest_of(flat_pre, true_places(pre_BF > 0), n)


def _largest_of(flat_pre: torch.Tensor, places: torch.Tensor, n: int) -> torch.Tensor:
    if len(places) <= n:
        return places
    chosen = flat_pre[places].topk(n, sorted=False).indices
    return places[chosen.sort().values]


def true_places(mask: torch.Tensor) -> torch.Tensor:
    """Return the flat places where a mask is true, rising, int64.

    NumPy does it eight times faster than torch on a CPU.
    """
    if mask.device.type != "cpu":
        return mask.reshape(-1).nonzero().flatten()
    found: npt.NDArray[np.int64] = np.flatnonzero(mask.numpy())
    return torch.from_numpy(found)


def rising_order(values_BK: torch.Tensor) -> torch.Tensor:
    """Return the places that sort each short row; NumPy does it four times faster on a CPU."""
    if values_BK.device.type != "cpu" or values_BK.dtype not in (torch.float32, torch.int64):
        return values_BK.argsort(dim=1)
    return torch.from_numpy(np.argsort(values_BK.numpy(), axis=1))


def _topk(values: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    kept = values.topk(k, dim=1, sorted=False)
    return kept.values, kept.indices
