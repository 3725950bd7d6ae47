"""Health and facts of the machine."""

from datetime import datetime
from typing import Literal

from app.schemas.common import ResponseModel

Connection = Literal["connected", "disconnected"]
Storage = Literal["writable", "nearly full", "read-only"]


class GpuHealth(ResponseModel):
    available: bool
    name: str | None
    memory_total_bytes: int | None
    memory_used_bytes: int | None
    utilization_percent: float | None


class GpuSummary(ResponseModel):
    """A GPU in words for people."""

    available: bool
    name: str | None
    memory_total: str | None
    memory_used: str | None
    utilization: str | None


class HealthComponents(ResponseModel):
    """Each part in a word; sizes for people."""

    database: Connection
    redis: Connection
    gpu: GpuSummary
    storage: Storage


class Health(ResponseModel):
    status: Literal["ok", "degraded"]
    timestamp: datetime
    components: HealthComponents
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
