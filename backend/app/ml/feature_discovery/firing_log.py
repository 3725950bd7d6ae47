"""Every firing of the pass in a temporary file, so that contexts need no second pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.ml.activation_extraction.npy_files import NpyWriter, open_npy


class FiringLog:
    """Rows with their active latents, 8 bytes per firing, on disk.

    Within a row latents ascend, which makes looking one up a bisection.
    """

    def __init__(self, folder: Path) -> None:
        self._latents = NpyWriter(folder / "latents.npy", (), np.int32)
        self._values = NpyWriter(folder / "values.npy", (), np.float32)
        self._folder = folder
        self._counts: list[npt.NDArray[np.int64]] = []

    def add(
        self,
        counts_B: npt.NDArray[np.int64],
        latents: npt.NDArray[np.int64],
        values: npt.NDArray[np.float32],
    ) -> None:
        """Append a batch: firings per row, then all latents and values, row by row."""
        self._counts.append(counts_B)
        self._latents.append(latents.astype(np.int32))
        self._values.append(values)

    def finish(self) -> FiringTable:
        self._latents.close()
        self._values.close()
        counts = np.concatenate([np.zeros(1, np.int64), *self._counts])
        return FiringTable(
            np.cumsum(counts),
            open_npy(self._folder / "latents.npy", self._latents.rows),
            open_npy(self._folder / "values.npy", self._values.rows),
        )


class FiringTable:
    """Random access to a finished log."""

    def __init__(
        self,
        offsets: npt.NDArray[np.int64],
        latents: npt.NDArray[np.int32],
        values: npt.NDArray[np.float32],
    ) -> None:
        self.offsets, self.latents, self.values = offsets, latents, values

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
