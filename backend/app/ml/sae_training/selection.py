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
_MINUS_INFINITY = {torch.float32: 0xFF800000, torch.bfloat16: 0xFF80, torch.float16: 0xFC00}
"""Bits of -inf as an unsigned number: only NaNs with a sign exceed it."""
_SIGNED = {2: torch.int16, 4: torch.int32}
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
    if pre_BF.dtype not in _MINUS_INFINITY:
        return _topk(pre_BF, k)
    found_BK = _largest_of_bits(pre_BF, k, size)
    return _topk(pre_BF, k) if found_BK is None else found_BK


def _largest_of_bits(
    pre_BF: torch.Tensor, k: int, size: int
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Choose by the numbers' bits as integers; None where there is a NaN.

    Integers are compared several times faster than 16-bit numbers are, and those of positive
    numbers are in the same order.
    """
    n_rows, width = pre_BF.shape
    bits_BF = pre_BF.contiguous().view(_SIGNED[pre_BF.itemsize]).numpy()
    if bits_BF.view(f"u{pre_BF.itemsize}").max() > _MINUS_INFINITY[pre_BF.dtype]:
        return None
    bound_B = _bounds(bits_BF, k, size)
    if bound_B.min() <= 0:
        bits_BF = bits_BF ^ ((bits_BF >> (8 * bits_BF.itemsize - 1)) & np.iinfo(bits_BF.dtype).max)
        bound_B = _bounds(bits_BF, k, size)
    mask_BF = bits_BF >= bound_B.astype(bits_BF.dtype)[:, None]
    flat = np.flatnonzero(mask_BF)
    counts_B = np.diff(np.searchsorted(flat, np.arange(n_rows + 1) * width))
    row_of = np.repeat(np.arange(n_rows), counts_B)
    values = pre_BF.reshape(-1).index_select(0, torch.from_numpy(flat)).float()
    if not bool(torch.isfinite(values).all()):
        return None
    keys = falling_keys(values, torch.from_numpy(flat - row_of * width))
    most = int(counts_B.max())
    # Where an entry goes: its number within all, moved by what the rows before lack.
    lacking_B = np.arange(n_rows) * most - (np.cumsum(counts_B) - counts_B)
    goes_to = np.arange(len(flat)) + np.repeat(lacking_B, counts_B)
    keys_BC = np.full((n_rows, most), np.iinfo(np.int64).max)
    keys_BC.reshape(-1)[goes_to] = keys.numpy()
    values_BK, columns_BK = _unpacked(_sorted_rows(torch.from_numpy(keys_BC))[:, :k])
    return values_BK.to(pre_BF.dtype), columns_BK


def _bounds(bits_BF: npt.NDArray[Any], k: int, size: int) -> npt.NDArray[np.int32]:
    """Return the k-th largest of the maxima of 2k groups of ``size`` columns, of each row."""
    n_groups = GROUPS_PER_K * k
    groups_BSG = bits_BF[:, : size * n_groups].reshape(len(bits_BF), size, n_groups)
    # NumPy partitions short rows several times faster than torch's topk.
    maxima_BG = groups_BSG.max(axis=1).astype(np.int32)
    return np.partition(maxima_BG, n_groups - k, axis=1)[:, n_groups - k]


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


def falling(
    values_BK: torch.Tensor, indices_BK: torch.Tensor, n: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the ``n`` largest of each short row (all by default), the largest first.

    Of equal values the one with the lower index comes first. A value and its index are sorted as
    one number, which NumPy does with vector instructions, a tenth of the time of torch's topk.

    Args:
        values_BK: float32.
        indices_BK: int64 below 2^31.
        n: At most the number of columns.
    """
    return _unpacked(_sorted_rows(falling_keys(values_BK, indices_BK))[:, :n])


def falling_keys(values: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """Return int64 numbers that rise as float32 values fall, and then with indices below 2^31."""
    return (~rising_bits(values)).long() << 32 | indices


def _unpacked(keys: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return float_of((~(keys >> 32)).int()), keys & 0x7FFFFFFF


def by_index(
    values_BK: torch.Tensor, indices_BK: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return values float32 (none below zero) and indices of each short row, indices rising."""
    keys_BK = _sorted_rows(indices_BK << 32 | rising_bits(values_BK))
    return float_of((keys_BK & 0x7FFFFFFF).int()), keys_BK >> 32


def rising_bits(values: torch.Tensor) -> torch.Tensor:
    """Return int32 numbers in the order of float32 values; 0 and -0 are the same."""
    bits = (values + 0.0).view(torch.int32)  # -0 becomes 0
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


def float_of(rising: torch.Tensor) -> torch.Tensor:
    """Return the float32 values whose ``rising_bits`` these are."""
    return (rising ^ ((rising >> 31) & 0x7FFFFFFF)).view(torch.float32)


def _sorted_rows(keys_BK: torch.Tensor) -> torch.Tensor:
    if keys_BK.device.type != "cpu":
        return keys_BK.sort(dim=1).values
    return torch.from_numpy(np.sort(keys_BK.numpy(), axis=1))


def _topk(values: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    kept = values.topk(k, dim=1, sorted=False)
    return kept.values, kept.indices
