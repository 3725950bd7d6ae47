"""Training rows in a GPU's memory: a batch is then one gather there instead of a copy from disk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.activation_store import ActivationRows

MOST_OF_FREE = 0.5
COPIED_ROWS = 262_144


def has_room(kept: Sequence[ActivationRows], n_rows: int, device: torch.device) -> bool:
    """Return whether the first rows of all places take at most half of a GPU's free memory."""
    if device.type != "cuda":
        return False
    needed = sum(n_rows * rows.format.row_bytes for rows in kept)
    return needed <= MOST_OF_FREE * torch.cuda.mem_get_info(device)[0]


class ResidentRows:
    """The first rows of one place, in the store's number format, on a device.

    Args:
        rows: Where they come from; read once, from first to last.
        n_rows: How many.
        device: Where they are kept.
    """

    def __init__(self, rows: ActivationRows, n_rows: int, device: torch.device) -> None:
        self._format = rows.format
        kept = rows.kept(0, 0)
        self._table = torch.empty(n_rows, kept.shape[1], dtype=kept.dtype, device=device)
        for start in range(0, n_rows, COPIED_ROWS):
            stop = min(start + COPIED_ROWS, n_rows)
            self._table[start:stop] = rows.kept(start, stop).to(device)

    def gather(self, rows: npt.NDArray[np.int64]) -> torch.Tensor:
        """Return rows by number in their order, float32 on the device."""
        numbers = torch.from_numpy(rows)
        if self._table.is_cuda:  # a copy from ordinary memory would wait for the step before
            numbers = numbers.pin_memory().to(self._table.device, non_blocking=True)
        return self._format.decode(self._table[numbers])
