"""Every firing of the pass in temporary files, so that contexts need no second pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FILES = {"latents": np.dtype("<i4"), "values": np.dtype("<f4"), "counts": np.dtype("<i4")}


class FiringLog:
    """Rows with their active latents, 8 bytes per firing, on disk.

    Within a row latents ascend, which makes looking one up a bisection.

    Args:
        folder: Where the files lie; existing ones are cut to ``lengths``.
        lengths: Entries per file that a saved state vouches for; nothing to begin anew.
    """

    def __init__(self, folder: Path, lengths: dict[str, int] | None = None) -> None:
        self._folder = folder
        self._lengths = lengths or dict.fromkeys(FILES, 0)
        self._files = {}
        for name, dtype in FILES.items():
            path = folder / name
            path.touch()
            file = path.open("r+b")
            file.truncate(self._lengths[name] * dtype.itemsize)
            file.seek(0, 2)
            self._files[name] = file

    def add(
        self,
        counts_B: npt.NDArray[np.int64],
        latents: npt.NDArray[np.int64],
        values: npt.NDArray[np.float32],
    ) -> None:
        """Append a batch: firings per row, then all latents and values, row by row."""
        self._append("counts", counts_B)
        self._append("latents", latents)
        self._append("values", values)

    def _append(self, name: str, entries: npt.NDArray[Any]) -> None:
        self._files[name].write(np.ascontiguousarray(entries, dtype=FILES[name]).data)
        self._lengths[name] += len(entries)

    def flush(self) -> dict[str, int]:
        """Hand everything to the system; returns the entries per file, for a saved state."""
        for file in self._files.values():
            file.flush()
        return dict(self._lengths)

    def finish(self) -> FiringTable:
        for file in self._files.values():
            file.close()
        counts = self._map("counts")
        offsets = np.zeros(len(counts) + 1, dtype=np.int64)
        np.cumsum(counts, out=offsets[1:])
        return FiringTable(offsets, self._map("latents"), self._map("values"))

    def _map(self, name: str) -> npt.NDArray[Any]:
        if not self._lengths[name]:
            return np.empty(0, dtype=FILES[name])
        # A plain view of the map: indexing numpy's memmap class itself costs 10 microseconds.
        return np.asarray(np.memmap(self._folder / name, dtype=FILES[name], mode="r"))


class FiringTable:
    """Random access to a finished log."""

    def __init__(
        self,
        offsets: npt.NDArray[np.int64],
        latents: npt.NDArray[np.int32],
        values: npt.NDArray[np.float32],
    ) -> None:
        self.offsets, self.latents, self.values = offsets, latents, values

    @property
    def n_rows(self) -> int:
        return len(self.offsets) - 1

    def rows(
        self, rows: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return firings per row, latents and values of the given rows, row by row."""
        counts = self.offsets[rows + 1] - self.offsets[rows]
        starts = np.repeat(self.offsets[rows] - np.r_[0, np.cumsum(counts)[:-1]], counts)
        places = starts + np.arange(int(counts.sum()))
        return counts, self.latents[places], self.values[places]

    def look_up(
        self, rows: npt.NDArray[np.int64], latents: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Return the activation of ``latents[i]`` at row ``rows[i]``, 0 where it did not fire.

        A row of -1 stands for a token that is not in the store; its activation is 0.
        """
        if not len(self.latents):
            return np.zeros(len(rows), dtype=np.float32)
        known = np.maximum(rows, 0)
        low, end = self.offsets[known], self.offsets[known + 1]
        high = end.copy()
        last = len(self.latents) - 1
        for _ in range(int((high - low).max(initial=0)).bit_length()):
            middle = (low + high) // 2
            below = (self.latents[np.minimum(middle, last)] < latents) & (low < high)
            low = np.where(below, middle + 1, low)
            high = np.where(below, high, middle)
        place = np.minimum(low, last)
        found = (low < end) & (self.latents[place] == latents) & (rows >= 0)
        return np.where(found, self.values[place], np.float32(0))
