"""What may force a job off the machine: a disk, a memory or a device that gave out.

Each finding carries its numbers. The job saves a checkpoint and pauses; ``recovery`` queues it
again when the machine has what it needs.
"""

import os
import shutil
import time
from dataclasses import replace

from app.core.config import Settings
from app.core.enums import ErrorCode, JobKind
from app.core.memory import read_memory
from app.services.gpus import read_gpus
from app.workers.outcome import Failure

CHECK_SECONDS = 2.0
MEBIBYTE = 1 << 20

# Reasons in ``jobs.reason``; what a person paused has another one and stays paused.
REASON_OF_CODE = {
    ErrorCode.DISK_FULL: "disk full",
    ErrorCode.OUT_OF_MEMORY: "memory low",
    ErrorCode.DEVICE_LOST: "device lost",
}
PRESSURE_REASONS = frozenset(REASON_OF_CODE.values())
# Deletions make room, and somebody waits at the page for a steered text.
EXEMPT = frozenset(
    {
        JobKind.DATASET_DELETE,
        JobKind.MODEL_DELETE,
        JobKind.ACTIVATION_DELETE,
        JobKind.TRAINING_DELETE,
        JobKind.STEERING_GENERATE,
    }
)


class PressureGauge:
    """Looks at the machine every two seconds while a job runs.

    Args:
        settings: Reserves that must stay free.
        kind: What runs.
        device: ``cuda:0``, ``cpu``, or None for a job that needs none.
    """

    def __init__(self, settings: Settings, kind: JobKind, device: str | None) -> None:
        self._settings = settings
        self._is_exempt = kind in EXEMPT
        self._device = device
        self._next_look = 0.0
        self._device_was_silent = False
        self.found: Failure | None = None

    def look(self) -> Failure | None:
        """The first thing that gave out, from then on; cheap to call often."""
        if self._is_exempt or self.found is not None or time.monotonic() < self._next_look:
            return self.found
        self._next_look = time.monotonic() + CHECK_SECONDS
        found = find_pressure(self._settings, self._device)
        is_loss = found is not None and found.code is ErrorCode.DEVICE_LOST
        if not is_loss or self._device_was_silent:  # a driver may be slow to answer once
            self.found = found
        self._device_was_silent = is_loss
        return self.found


def find_pressure(settings: Settings, device: str | None) -> Failure | None:
    """What has given out now, with its numbers."""
    free = free_disk(settings)
    if free < settings.disk_reserve_bytes:
        return disk_full(free, 2 * settings.disk_reserve_bytes)
    available = read_memory().available
    if available < settings.memory_reserve_bytes:
        return _memory_low(available, 2 * settings.memory_reserve_bytes)
    if device is not None and is_lost(device):
        return device_lost(device)
    return None


def is_relieved(settings: Settings, reason: str, details: dict[str, object]) -> bool:
    """Whether the machine has again what a paused job lacked."""
    needed = details.get("needed_bytes")
    least = needed if isinstance(needed, int) else 0
    if reason == REASON_OF_CODE[ErrorCode.DISK_FULL]:
        return free_disk(settings) >= max(least, settings.disk_reserve_bytes)
    if reason == REASON_OF_CODE[ErrorCode.OUT_OF_MEMORY]:
        return read_memory().available >= least
    return not is_lost(str(details.get("device", "cpu")))


def with_numbers(settings: Settings, failure: Failure) -> Failure:
    """A full disk or a lost device as a task met it, with what must be there to go on."""
    if failure.code is ErrorCode.DEVICE_LOST and "device" not in failure.details:
        return replace(failure, details=failure.details | {"device": settings.device})
    if failure.code is not ErrorCode.DISK_FULL:
        return failure
    free = free_disk(settings)
    needed = failure.details.get("needed_bytes")
    if not isinstance(needed, int):
        needed = free + settings.disk_reserve_bytes
    return disk_full(free, needed + settings.disk_reserve_bytes)


def disk_full(free_bytes: int, needed_bytes: int) -> Failure:
    text = (
        f"The disk is full: {_in_words(free_bytes)} are free and {_in_words(needed_bytes)} are "
        "needed. The job is paused and goes on by itself when there is room."
    )
    return Failure(
        ErrorCode.DISK_FULL, text, {"free_bytes": free_bytes, "needed_bytes": needed_bytes}
    )


def device_lost(device: str) -> Failure:
    text = (
        f"The GPU ({device}) no longer answers. The job is paused and goes on by itself when the "
        "GPU is back; a restart of the machine or of its driver may be needed."
    )
    return Failure(ErrorCode.DEVICE_LOST, text, {"device": device})


def is_lost(device: str) -> bool:
    """Whether a GPU that jobs run on is gone. Where no driver can be asked nothing is claimed."""
    return device.startswith("cuda") and shutil.which("nvidia-smi") is not None and not read_gpus()


def free_disk(settings: Settings) -> int:
    """Bytes that this user may still write below the data folder."""
    found = os.statvfs(settings.data_root)
    return found.f_bavail * found.f_frsize


def _memory_low(available: int, needed: int) -> Failure:
    text = (
        f"This machine is short of memory: {_in_words(available)} are available and "
        f"{_in_words(needed)} are needed. The job is paused and goes on by itself; close other "
        "programs."
    )
    return Failure(
        ErrorCode.OUT_OF_MEMORY, text, {"available_bytes": available, "needed_bytes": needed}
    )


def _in_words(size_bytes: int) -> str:
    if size_bytes >= 1000 * MEBIBYTE:
        return f"{size_bytes / 1e9:.1f} GB"
    return f"{size_bytes / 1e6:.0f} MB"
