"""Health and facts of the machine."""

from typing import Literal

from app.schemas.common import ResponseModel

Connection = Literal["connected", "disconnected"]


class GpuHealth(ResponseModel):
    available: bool
    name: str | None
    memory_total_bytes: int | None
    memory_used_bytes: int | None
    utilization_percent: float | None


class Health(ResponseModel):
    status: Literal["ok", "degraded"]
    gpu: GpuHealth
    db: Connection
    redis: Connection


class Live(ResponseModel):
    status: Literal["ok"]


class MemoryInfo(ResponseModel):
    total_bytes: int
    available_bytes: int


class DiskInfo(ResponseModel):
    path: str
    total_bytes: int
    free_bytes: int


class SystemInfo(ResponseModel):
    version: str
    platform: str
    python: str
    cpu_count: int
    cpu_name: str | None
    device_name: str
    gpu_info: list[GpuHealth]
    memory_info: MemoryInfo
    disk: DiskInfo
    packages: dict[str, str]
    workers: dict[str, int]
