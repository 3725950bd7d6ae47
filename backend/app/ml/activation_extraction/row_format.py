"""How a token's activations lie on disk: as numbers, or as 8-bit codes with scales."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from app.ml.errors import InvalidActivations

CODE_BLOCK = 32
"""Numbers that share a scale: one outlying dimension then costs only its own block precision."""
SCALE_BYTES = 2
LARGEST_CODE = 127


@dataclass(frozen=True)
class RowFormat:
    """Turns rows of float numbers into rows of a file and back.

    A row of ``int8`` is ``width`` signed codes, then the bfloat16 scales of its blocks of 32
    numbers, low byte first: number = code x scale. That is 1.06 bytes a number; rounding leaves
    an error of about 3e-5 of the variance of Gaussian rows (bfloat16: 2e-6).

    Args:
        name: One of ``configs.STORE_DTYPES``.
        width: Numbers of a row.
    """

    name: str
    width: int

    @property
    def n_columns(self) -> int:
        """Elements of a row in the file."""
        return self.width + SCALE_BYTES * self._n_blocks if self.name == "int8" else self.width

    @property
    def file_dtype(self) -> np.dtype[np.generic]:
        """Element type of the file; bfloat16 as its bits, since numpy has no such type."""
        return np.dtype(np.uint16 if self.name == "bfloat16" else self.name)

    @property
    def row_bytes(self) -> int:
        return self.n_columns * self.file_dtype.itemsize

    @property
    def _n_blocks(self) -> int:
        return math.ceil(self.width / CODE_BLOCK)

    def encode(self, rows_ND: torch.Tensor) -> torch.Tensor:
        """Return rows (N, width) as they are kept (N, n_columns), on the same device.

        Raises:
            InvalidActivations: too large for float16.
        """
        if self.name == "int8":
            return self._codes(rows_ND.float())
        kept = rows_ND.to(getattr(torch, self.name))
        if self.name == "float16" and not bool(torch.isfinite(kept).all()):
            raise InvalidActivations(
                "Activations exceed what float16 can hold (65,504); store them as bfloat16 or "
                "float32."
            )
        return kept

    def decode(self, kept: torch.Tensor) -> torch.Tensor:
        """Return kept rows (N, n_columns) as float32 (N, width), on the same device."""
        if self.name != "int8":
            return kept.float()
        scales = kept[:, self.width :].contiguous().view(torch.bfloat16).float()
        codes = kept[:, : self.width].float()
        if self.width % CODE_BLOCK:
            return codes.mul_(scales.repeat_interleave(CODE_BLOCK, dim=1)[:, : self.width])
        blocks = codes.view(len(kept), self._n_blocks, CODE_BLOCK)
        return blocks.mul_(scales[:, :, None]).view(len(kept), self.width)

    def to_file(self, kept: torch.Tensor) -> npt.NDArray[np.generic]:
        """Return kept rows as an array of ``file_dtype``."""
        bits = kept.view(torch.int16) if self.name == "bfloat16" else kept
        return bits.cpu().contiguous().numpy().view(self.file_dtype)

    def from_file(self, array: npt.NDArray[np.generic]) -> torch.Tensor:
        """Wrap an array of a file as kept rows, without copying."""
        if self.name == "bfloat16":
            return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
        return torch.from_numpy(array)

    def _codes(self, rows_ND: torch.Tensor) -> torch.Tensor:
        missing = self._n_blocks * CODE_BLOCK - self.width
        padded = torch.nn.functional.pad(rows_ND, (0, missing)) if missing else rows_ND
        blocks = padded.reshape(len(rows_ND), self._n_blocks, CODE_BLOCK)
        scales = _rounded_up(blocks.abs().amax(dim=2) / LARGEST_CODE)
        # A block of zeros has scale 0; a limit keeps 0 / 0 out of it.
        codes = (blocks / scales.clamp_min(torch.finfo(torch.float32).tiny)[:, :, None]).round_()
        kept = rows_ND.new_empty(len(rows_ND), self.n_columns, dtype=torch.int8)
        kept[:, : self.width] = codes.flatten(1)[:, : self.width].to(torch.int8)
        kept[:, self.width :] = scales.to(torch.bfloat16).view(torch.int8)
        return kept


def _rounded_up(scales: torch.Tensor) -> torch.Tensor:
    """Return numbers that bfloat16 holds exactly and that are no smaller: no code exceeds 127."""
    bits = scales.contiguous().view(torch.int32)
    return ((bits + 0xFFFF) & -0x10000).view(torch.float32)
