"""What this machine has: the most that a job can ever be given, and what is free now."""

import os
import time
from dataclasses import dataclass
from functools import cache

import numpy as np

from app.core.config import Settings
from app.core.memory import read_memory
from app.services.gpus import read_gpus
from app.services.system_service import compute_device

SPEED_SHAPE = (512, 768, 1024)
SPEED_REPEATS = 3


@dataclass(frozen=True)
class Limit:
    """Bytes: ``most`` when nothing else runs, ``free`` at the moment."""

    most: int
    free: int


@dataclass(frozen=True)
class Room:
    """``gpu`` is None where jobs run on the processor, or the driver does not say."""

    device: str
    memory: Limit
    disk: Limit
    gpu: Limit | None

    @property
    def has_gpu(self) -> bool:
        return self.device.startswith("cuda")


def look_around(settings: Settings) -> Room:
    """Read what the machine has, less the reserves that always stay free."""
    device = compute_device(settings)
    memory = read_memory(settings.job_memory_bytes)
    disk = os.statvfs(settings.data_root)
    free = disk.f_bavail * disk.f_frsize - settings.disk_reserve_bytes
    return Room(
        device,
        Limit(memory.total - settings.memory_reserve_bytes, memory.available),
        Limit(max(free, 0), max(free, 0)),
        _gpu_limit(device),
    )


def _gpu_limit(device: str) -> Limit | None:
    gpus, index = read_gpus(), int(device.partition(":")[2] or 0)
    if not device.startswith("cuda") or index >= len(gpus):
        return None
    total, used = gpus[index].memory_total_bytes, gpus[index].memory_used_bytes
    return None if total is None or used is None else Limit(total, total - used)


@cache
def product_rate() -> float:
    """FLOP per second of float32 products in this process, the best of three; measured once."""
    rows, inner, columns = SPEED_SHAPE
    left = np.ones((rows, inner), dtype=np.float32)
    right = np.ones((inner, columns), dtype=np.float32)
    left @ right
    best = float("inf")
    for _ in range(SPEED_REPEATS):
        began = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - began)
    return 2.0 * rows * inner * columns / best
