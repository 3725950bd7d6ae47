"""What a process takes: memory by the kernel, a GPU's by torch, time since its start."""

import sys
import time
from pathlib import Path
from typing import Any

import psutil

_STATUS = Path("/proc/self/status")
KIBIBYTE = 1024


class ProcessMeter:
    """Measures its own process from the moment it is made."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._base: int | None = None

    def mark_base(self) -> None:
        """All libraries are loaded, the work begins."""
        self._base = psutil.Process().memory_info().rss

    def measured(self) -> dict[str, Any]:
        return {
            "memory_bytes": peak_bytes(),
            "gpu_memory_bytes": _gpu_peak_bytes(),
            "base_bytes": self._base,
            "seconds": time.monotonic() - self._began,
        }


def peak_bytes() -> int | None:
    """Largest resident size of this process so far; None where the kernel does not say.

    Not ``ru_maxrss``: that begins at the size of the process that started this one.
    """
    if not _STATUS.exists():
        return None
    for line in _STATUS.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * KIBIBYTE
    return None


def together(earlier: dict[str, Any] | None, latest: dict[str, Any]) -> dict[str, Any]:
    """Figures of all attempts of a job: times add up, of sizes the largest counts."""
    if earlier is None:
        return latest
    sizes = ("memory_bytes", "gpu_memory_bytes", "base_bytes")
    found: dict[str, Any] = {
        name: max((size for size in (earlier.get(name), latest.get(name)) if size), default=None)
        for name in sizes
    }
    return found | {"seconds": earlier["seconds"] + latest["seconds"]}


def _gpu_peak_bytes() -> int | None:
    """Largest allocation by torch, if the task loaded it and used a GPU."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return int(torch.cuda.max_memory_allocated())
