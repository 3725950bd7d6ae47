"""Latents of a batch, sparse or dense, behind one set of operations.

Objectives are written once in terms of the entries that may be active. Few entries are kept in
compressed rows, and every product costs 2 n D instead of 2 B F D; many entries (a ReLU
dictionary at its start) are kept as a masked dense matrix. "values" is a vector with one number
per entry in the first case and a (B, F) matrix, zero outside the mask, in the second.
B batch, D width, F latents, n entries.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from app.ml.sae_training.gpu import has_kernels
from app.ml.sae_training.row_lists import (
    list_sums,
    offsets_of,
    row_products,
    row_sums,
)
from app.ml.sae_training.selection import true_places

SPARSE_SHARE = 1 / 12
"""Below this share of entries the sparse products are faster on a CPU."""


class ActiveLatents(Protocol):
    """Which latents may be active in which row, and products over those places."""

    def take(self, dense_BF: torch.Tensor) -> torch.Tensor:
        """Return the values that a dense matrix has at the entries."""

    def mask(self, values: torch.Tensor) -> torch.Tensor:
        """Return values that were computed by broadcasting, zero where there is no entry."""

    def count(self, values: torch.Tensor) -> torch.Tensor:
        """Return how many values are above zero, 0-d."""

    def spread(self, per_latent_F: torch.Tensor) -> torch.Tensor:
        """Return a number per latent in a form that broadcasts against values."""

    def decode(self, values: torch.Tensor, W_dec_FD: torch.Tensor) -> torch.Tensor:
        """Return ``values W_dec``, (B, D)."""

    def products(self, rows_BD: torch.Tensor, W_FD: torch.Tensor) -> torch.Tensor:
        """Return ``rows W^T`` at the entries, as values."""

    def transposed(self, values: torch.Tensor, rows_BD: torch.Tensor) -> torch.Tensor:
        """Return ``values^T rows``, (F, D)."""

    def sum_by_latent(self, values: torch.Tensor) -> torch.Tensor:
        """Return the column sums, (F,)."""

    def fired(self, values: torch.Tensor) -> torch.Tensor:
        """Return which latents have a value above zero, bool (F,)."""

    def parts(self, sizes: Iterable[int]) -> list[Part]:
        """Cut into ranges of latents that end at ``sizes``."""


@dataclass(frozen=True)
class Part:
    """The entries whose latent lies in ``first .. last - 1``; latents count from ``first``."""

    first: int
    last: int
    active: ActiveLatents
    entries: torch.Tensor | tuple[slice, slice]

    def of(self, values: torch.Tensor) -> torch.Tensor:
        return values[self.entries]

    def put(self, into: torch.Tensor, values: torch.Tensor) -> None:
        into[self.entries] = values


@dataclass(frozen=True)
class SparseLatents:
    """Entries in compressed rows: ``latents`` and ``rows`` int64, sorted by row.

    ``dtype`` is what a GPU reads the tables of rows in; a CPU reads them as they are.
    """

    rows: torch.Tensor
    latents: torch.Tensor
    n_rows: int
    n_latents: int
    dtype: torch.dtype = torch.float32

    @classmethod
    def at(
        cls, flat: torch.Tensor, shape: torch.Size, dtype: torch.dtype = torch.float32
    ) -> SparseLatents:
        """Make from rising flat places in a (B, F) matrix."""
        rows = flat // shape[1]
        return cls(rows, flat - rows * shape[1], shape[0], shape[1], dtype)

    @classmethod
    def of_rows(
        cls, indices_BK: torch.Tensor, n_latents: int, dtype: torch.dtype = torch.float32
    ) -> SparseLatents:
        """Make from K latents of each row."""
        n_rows, k = indices_BK.shape
        rows = torch.arange(n_rows, device=indices_BK.device).repeat_interleave(k)
        return cls(rows, indices_BK.reshape(-1), n_rows, n_latents, dtype)

    @functools.cached_property
    def row_offsets(self) -> torch.Tensor:
        """Where each row begins and the last ends, (B + 1,)."""
        return offsets_of(self.rows, self.n_rows)

    @functools.cached_property
    def by_latent(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Order of the entries by latent, their rows in it, and where each latent begins."""
        latents, order = torch.sort(self.latents.int(), stable=True)
        return order, self.rows[order], offsets_of(latents, self.n_latents)

    def take(self, dense_BF: torch.Tensor) -> torch.Tensor:
        values = dense_BF.reshape(-1)[self.rows * self.n_latents + self.latents]
        return values.float() if values.dtype == torch.bfloat16 else values

    def mask(self, values: torch.Tensor) -> torch.Tensor:
        return values

    def count(self, values: torch.Tensor) -> torch.Tensor:
        return (values > 0).sum()

    def spread(self, per_latent_F: torch.Tensor) -> torch.Tensor:
        return per_latent_F[self.latents]

    def decode(self, values: torch.Tensor, W_dec_FD: torch.Tensor) -> torch.Tensor:
        return row_sums(W_dec_FD, self.latents, self.row_offsets, values, self.dtype)

    def products(self, rows_BD: torch.Tensor, W_FD: torch.Tensor) -> torch.Tensor:
        return row_products(rows_BD, W_FD, self.latents, self.row_offsets, self.rows, self.dtype)

    def transposed(self, values: torch.Tensor, rows_BD: torch.Tensor) -> torch.Tensor:
        order, rows, offsets_F = self.by_latent
        return row_sums(rows_BD, rows, offsets_F, values[order], self.dtype)

    def sum_by_latent(self, values: torch.Tensor) -> torch.Tensor:
        if has_kernels(values):
            order, _, offsets_F = self.by_latent
            return list_sums(values[order], offsets_F)
        return values.new_zeros(self.n_latents).index_add_(0, self.latents, values)

    def fired(self, values: torch.Tensor) -> torch.Tensor:
        return self.sum_by_latent((values > 0).float()) > 0

    def parts(self, sizes: Iterable[int]) -> list[Part]:
        parts, first = [], 0
        for last in sizes:
            entries = true_places((self.latents >= first) & (self.latents < last))
            part = SparseLatents(
                self.rows[entries], self.latents[entries] - first,
                self.n_rows, last - first, self.dtype,
            )  # fmt: skip
            parts.append(Part(first, last, part, entries))
            first = last
        return parts


@dataclass(frozen=True)
class DenseLatents:
    """Entries as a mask; products run in ``dtype`` and come back in the type of their rows."""

    mask_BF: torch.Tensor
    dtype: torch.dtype

    def take(self, dense_BF: torch.Tensor) -> torch.Tensor:
        return dense_BF * self.mask_BF

    def mask(self, values: torch.Tensor) -> torch.Tensor:
        return values * self.mask_BF

    def count(self, values: torch.Tensor) -> torch.Tensor:
        return (values > 0).sum()

    def spread(self, per_latent_F: torch.Tensor) -> torch.Tensor:
        return per_latent_F

    def decode(self, values: torch.Tensor, W_dec_FD: torch.Tensor) -> torch.Tensor:
        return (self._low(values) @ self._low(W_dec_FD)).to(W_dec_FD.dtype)

    def products(self, rows_BD: torch.Tensor, W_FD: torch.Tensor) -> torch.Tensor:
        return (self._low(rows_BD) @ self._low(W_FD).T).mul_(self.mask_BF)

    def transposed(self, values: torch.Tensor, rows_BD: torch.Tensor) -> torch.Tensor:
        return (self._low(values).T @ self._low(rows_BD)).to(rows_BD.dtype)

    def sum_by_latent(self, values: torch.Tensor) -> torch.Tensor:
        wide = torch.float64 if values.dtype == torch.float64 else torch.float32
        return values.sum(dim=0, dtype=wide)

    def fired(self, values: torch.Tensor) -> torch.Tensor:
        return (values > 0).any(dim=0)

    def parts(self, sizes: Iterable[int]) -> list[Part]:
        parts, first = [], 0
        for last in sizes:
            part = DenseLatents(self.mask_BF[:, first:last], self.dtype)
            parts.append(Part(first, last, part, (slice(None), slice(first, last))))
            first = last
        return parts

    def _low(self, values: torch.Tensor) -> torch.Tensor:
        return values if values.dtype == torch.float64 else values.to(self.dtype)


def active_where(mask_BF: torch.Tensor, dtype: torch.dtype) -> ActiveLatents:
    """Return the entries of a mask, sparse when they are few."""
    if _count(mask_BF) <= SPARSE_SHARE * mask_BF.numel():
        return SparseLatents.at(true_places(mask_BF), mask_BF.shape, dtype)
    return DenseLatents(mask_BF, dtype)


def _count(mask_BF: torch.Tensor) -> int:
    on_cpu = mask_BF.device.type == "cpu"
    return int(np.count_nonzero(mask_BF.numpy()) if on_cpu else mask_BF.sum())
