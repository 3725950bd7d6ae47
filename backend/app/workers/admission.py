"""Whether the device has room for a job whose turn has come.

Free memory is the driver's figure, not the total less our own use: other programs count too.
"""

import time
from dataclasses import dataclass

from app.core.config import Settings
from app.core.enums import ErrorCode
from app.core.memory import read_memory
from app.services.gpus import read_gpus
from app.workers.outcome import Failure

# A moment at full load is no reason; a device that others keep this busy this long is.
BUSY_SECONDS = 10.0


@dataclass(frozen=True)
class Memory:
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class Verdict:
    """Why a job may not start now; with a ``refusal`` waiting would not help."""

    message: str
    refusal: Failure | None = None


class Admission:
    """Judges one waiting job again and again.

    Args:
        settings: How busy others may keep the device.
        device: ``cuda:0`` or ``cpu``.
        needed_bytes: The least that the job takes; 0 when unknown.
    """

    def __init__(self, settings: Settings, device: str, needed_bytes: int) -> None:
        self._settings = settings
        self._device = device
        self._needed = needed_bytes
        self._busy_since: float | None = None

    def judge(self, *, ours_is_active: bool) -> Verdict | None:
        """None when the job may start.

        Args:
            ours_is_active: Steering of ours uses the device at the moment, so its load says
                nothing about others.
        """
        return self._judge_memory() or self._judge_load(ours_is_active)

    def _judge_memory(self) -> Verdict | None:
        memory = device_memory(self._device)
        if memory is None or self._needed <= memory.free_bytes:
            return None
        needed, free = _gigabytes(self._needed), _gigabytes(memory.free_bytes)
        if self._needed <= memory.total_bytes:
            return Verdict(f"Waiting for memory: {needed} are needed, {free} are free.")
        is_gpu = self._device.startswith("cuda")
        text = (
            f"The job needs at least {needed} of memory; this {'GPU' if is_gpu else 'machine'} has "
            f"{_gigabytes(memory.total_bytes)}. Choose a smaller model or fewer latents."
        )
        code = ErrorCode.GPU_OOM if is_gpu else ErrorCode.OUT_OF_MEMORY
        details = {"needed_bytes": self._needed, "total_bytes": memory.total_bytes}
        return Verdict(text, Failure(code, text, details))

    def _judge_load(self, ours_is_active: bool) -> Verdict | None:
        percent = device_load(self._device)
        limit = self._settings.gpu_busy_percent
        if percent is None or percent <= limit or ours_is_active:
            self._busy_since = None
            return None
        now = time.monotonic()
        if self._busy_since is None:
            self._busy_since = now
        text = f"The GPU is kept {percent:.0f} % busy by other programs."
        if now - self._busy_since < BUSY_SECONDS:
            return Verdict(text)
        text += " Close them and repeat the job."
        details = {"utilization_percent": percent, "limit_percent": limit}
        return Verdict(text, Failure(ErrorCode.GPU_BUSY, text, details))


def device_memory(device: str) -> Memory | None:
    """Free and total memory of a device; None when its driver does not say."""
    if not device.startswith("cuda"):
        memory = read_memory()
        return Memory(memory.available, memory.total)
    gpus, index = read_gpus(), int(device.partition(":")[2] or 0)
    if index >= len(gpus):
        return None
    total, used = gpus[index].memory_total_bytes, gpus[index].memory_used_bytes
    return None if total is None or used is None else Memory(total - used, total)


def device_load(device: str) -> float | None:
    """Load of a GPU in percent; None for the processor, which shares itself out."""
    gpus, index = read_gpus(), int(device.partition(":")[2] or 0)
    if not device.startswith("cuda") or index >= len(gpus):
        return None
    return gpus[index].utilization_percent


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
