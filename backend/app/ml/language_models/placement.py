"""Where the weights of a model go: whole on one device, or spread over GPU, memory and disk."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from app.core.memory import read_memory
from app.ml.language_models.two_bits import two_bit_extras

USABLE_SHARE = 0.8
"""Of the free memory; the rest is for what the passes need and for what changes meanwhile."""


@dataclasses.dataclass(frozen=True)
class Room:
    """Bytes that weights may take on the GPU (None: there is none) and in memory."""

    gpu: int | None
    memory: int

    @classmethod
    def on(cls, device: torch.device) -> Room:
        """Measure what is free now."""
        memory = int(USABLE_SHARE * read_memory().available)
        if device.type != "cuda":
            return cls(None, memory)
        return cls(int(USABLE_SHARE * torch.cuda.mem_get_info(device)[0]), memory)

    def holds(self, n_bytes: int) -> bool:
        """Return whether that much fits where the passes run."""
        return n_bytes <= (self.memory if self.gpu is None else self.gpu)

    def limits(self, device: torch.device) -> dict[int | str, int]:
        """Return accelerate's ``max_memory``."""
        if self.gpu is None:
            return {"cpu": self.memory}
        return {device.index or 0: self.gpu, "cpu": self.memory}


@contextmanager
def spread_options(room: Room, device: torch.device) -> Iterator[dict[str, Any]]:
    """Yield the options of ``from_pretrained`` for a model that does not fit whole.

    accelerate fills the GPU, then memory, and reads the rest from the safetensors files at every
    pass. Formats that need another type than the files' are converted there as they are read,
    so the folder for offloaded copies stays empty.
    """
    with tempfile.TemporaryDirectory(prefix="mistudio-offload-") as folder:
        yield {
            "device_map": "auto",
            "max_memory": room.limits(device),
            "offload_folder": Path(folder),
        }


def resident_bytes(model: Any) -> int:
    """Return the bytes of weights and buffers in memory: scales of groups in, disk out."""
    tensors = {*model.parameters(), *model.buffers()}
    total: int = sum(t.nbytes for t in tensors if t.device.type != "meta")
    for parameter in model.parameters():
        state = getattr(parameter, "quant_state", None)
        if state is not None:
            total += state.absmax.nbytes
    for module in model.modules():
        total += sum(t.nbytes for t in two_bit_extras(module))
    return total
