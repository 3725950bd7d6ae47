"""``.npy`` files that are written piece by piece, of a length known only at the end."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from app.ml.errors import StoreInvalid

HEADER_BYTES = 128
"""Fixed, so that the header can be rewritten in place when the final length is known."""


def npy_header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """Return a version 1.0 header of exactly ``HEADER_BYTES`` bytes for C-ordered data."""
    shape_text = "(" + "".join(f"{n}, " for n in shape).rstrip(" ") + ")"
    text = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': {shape_text}, }}"
    if dtype.fields is not None:
        text = text.replace(repr(dtype.str), repr(dtype.descr), 1)
    padded = text.ljust(HEADER_BYTES - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode("latin1")


class NpyWriter:
    """Append arrays of one dtype and row shape to a ``.npy`` file.

    Args:
        path: File to create.
        row_shape: Shape of one row; () for a flat file.
        dtype: On-disk dtype; appended arrays must have it.
        reserve_rows: Space to allocate at once, so that a full disk is found before the work.
    """

    def __init__(
        self,
        path: Path,
        row_shape: tuple[int, ...],
        dtype: npt.DTypeLike,
        *,
        reserve_rows: int = 0,
    ) -> None:
        self.row_shape = row_shape
        self.dtype = np.dtype(dtype)
        self.rows = 0
        self._row_bytes = self.dtype.itemsize * int(np.prod(row_shape, dtype=np.int64))
        self._file = path.open("w+b")
        if reserve_rows:
            size = HEADER_BYTES + reserve_rows * self._row_bytes
            os.posix_fallocate(self._file.fileno(), 0, size)
        self._file.write(npy_header((0, *row_shape), self.dtype))

    def append(self, rows: npt.NDArray[Any]) -> None:
        if rows.dtype != self.dtype or rows.shape[1:] != self.row_shape:
            raise ValueError(f"rows of {rows.dtype} {rows.shape[1:]} do not belong to this file")
        self._file.write(np.ascontiguousarray(rows).data)
        self.rows += len(rows)

    def append_file(self, path: Path) -> None:
        """Append the rows of another file that this class wrote."""
        rows = np.load(path, mmap_mode="r")
        for start in range(0, len(rows), 1 << 22):
            self.append(np.asarray(rows[start : start + (1 << 22)]))

    def close(self) -> None:
        """Cut off unused space, write the true length, flush to disk. Idempotent."""
        if self._file.closed:
            return
        self._file.truncate(HEADER_BYTES + self.rows * self._row_bytes)
        self._file.seek(0)
        self._file.write(npy_header((self.rows, *self.row_shape), self.dtype))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def __enter__(self) -> NpyWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_npy(
    path: Path, rows: int | None = None, *, mode: Literal["r", "c"] = "r"
) -> npt.NDArray[Any]:
    """Map a ``.npy`` file read-only, or with mode "c" so that writes stay in memory.

    Raises:
        StoreInvalid: missing, truncated, or not of ``rows`` rows.
    """
    try:
        # A plain view of the map: indexing numpy's memmap class itself costs 10 microseconds.
        array: npt.NDArray[Any] = np.asarray(np.load(path, mmap_mode=mode, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        empty = path.is_file() and path.stat().st_size == HEADER_BYTES
        if empty and rows == 0:
            return np.load(path, allow_pickle=False)  # type: ignore[no-any-return]
        raise StoreInvalid(f"{path.name} is missing or truncated: {error}") from error
    if rows is not None and len(array) != rows:
        raise StoreInvalid(f"{path.name} holds {len(array)} rows instead of {rows}.")
    return array


def map_of(array: npt.NDArray[Any]) -> list[mmap.mmap]:
    """Return the map behind an array that ``open_npy`` gave; empty for a file without rows."""
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    return [] if base is None else [base]
