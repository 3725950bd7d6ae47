"""Processor, memory, disk and GPU of this machine."""

from pathlib import Path

import psutil
from prometheus_client.core import Metric

from app.core.config import Settings
from app.core.memory import read_memory
from app.services import gpus, system_service
from app.services.metrics.families import gauge, gauges
from app.services.reconciliation import count_drift

GPU_GAUGES = (
    ("gpu_utilization_percent", "How busy the GPU is", "utilization_percent"),
    ("gpu_memory_used_bytes", "GPU memory in use", "memory_used_bytes"),
    ("gpu_memory_total_bytes", "GPU memory", "memory_total_bytes"),
    ("gpu_temperature_celsius", "Temperature of the GPU", "temperature_celsius"),
    ("gpu_power_watts", "What the GPU draws", "power_watts"),
)
BLOCK_DEVICES = Path("/sys/block")


def collect(settings: Settings) -> list[Metric]:
    memory, swap = read_memory(settings.job_memory_bytes), psutil.swap_memory()
    disk = system_service.disk_info(settings.home)
    return [
        gauge("memory_usage_bytes", "Memory in use", [], [([], memory.total - memory.available)]),
        gauge("memory_total_bytes", "Memory of the machine", [], [([], memory.total)]),
        gauge("swap_usage_bytes", "Swap in use", [], [([], swap.used)]),
        gauge("swap_total_bytes", "Swap that is there", [], [([], swap.total)]),
        *zrams(BLOCK_DEVICES),
        gauge("disk_free_bytes", "Free on the disk of the data", [], [([], disk.free_bytes)]),
        gauge("disk_total_bytes", "Size of that disk", [], [([], disk.total_bytes)]),
        gauge("mistudio_drift", "Rows and files that did not agree at the last start", [],
              [([], count_drift(settings))]),
        *_gpus(),
    ]  # fmt: skip


def zrams(devices: Path) -> list[Metric]:
    """Swap that is compressed into memory: what it holds, and what that takes."""
    held, taken = [], []
    for path in sorted(devices.glob("zram*/mm_stat")):
        figures = path.read_text().split()
        held.append(([path.parent.name], int(figures[0])))
        taken.append(([path.parent.name], int(figures[2])))
    return [
        gauge("zram_held_bytes", "Pages in compressed swap", ["device"], held),
        gauge("zram_memory_bytes", "Memory that they take", ["device"], taken),
    ]


def _gpus() -> list[Metric]:
    found = [([str(index), gpu.name or "GPU"], gpu) for index, gpu in enumerate(gpus.read_gpus())]
    slowed = [
        ([*labels, reason], reason in reasons)
        for (labels, _), reasons in zip(found, gpus.read_throttling(), strict=False)
        if reasons is not None
        for reason in gpus.THROTTLE_REASONS.values()
    ]
    return [
        *gauges(["index", "name"], found, GPU_GAUGES),
        gauge("gpu_throttled", "Whether the GPU is slowed down", ["index", "name", "reason"],
              slowed),
    ]  # fmt: skip
