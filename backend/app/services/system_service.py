"""Facts about this machine and its servers, without torch."""

import os
import platform
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.errors import ServiceUnavailable
from app.core.memory import read_memory
from app.core.release import RELEASE
from app.db.repositories import jobs
from app.db.session import session_scope
from app.schemas.system import (
    Connection,
    DiskInfo,
    GpuHealth,
    GpuSummary,
    Health,
    HealthComponents,
    MemoryInfo,
    Storage,
    SystemInfo,
)
from app.services.gpus import read_gpus
from app.services.schema_guard import require_fitting_database
from app.services.shared_redis import brief_redis

GIBIBYTE = 1024**3
PACKAGES = ("torch", "transformers", "fastapi", "sqlalchemy", "celery", "python-socketio")
JETSON_MODEL = Path("/proc/device-tree/model")
JETSON_GPU = (Path("/dev/nvhost-gpu"), Path("/dev/nvgpu"), Path("/dev/nvhost-ctrl-gpu"))
_CPU_INFO = Path("/proc/cpuinfo")
_NO_GPU = GpuHealth(
    available=False,
    name=None,
    memory_total_bytes=None,
    memory_used_bytes=None,
    utilization_percent=None,
)


def compute_device(settings: Settings) -> str:
    """The device that jobs run on, ``cpu`` or ``cuda:0``; names the device's lock."""
    if settings.device != "auto":
        return settings.device
    hidden = settings.cuda_visible_devices in {"", "-1"}
    has_gpu = bool(read_gpus()) or any(path.exists() for path in JETSON_GPU)
    return "cuda:0" if has_gpu and not hidden else "cpu"


def health(settings: Settings) -> Health:
    """Overall health; a part that is away makes it ``degraded``, never an error."""
    database, broker = _database_state(), _broker_state(settings)
    storage = _storage_state(settings)
    gpus = read_gpus()
    gpu = gpus[0] if gpus else _NO_GPU
    is_whole = database == broker == "connected" and storage == "writable"
    return Health(
        status="ok" if is_whole else "degraded",
        timestamp=datetime.now(UTC),
        components=HealthComponents(
            database=database, redis=broker, gpu=_in_words(gpu), storage=storage
        ),
        gpu=gpu,
        db=database,
        redis=broker,
    )


def _in_words(gpu: GpuHealth) -> GpuSummary:
    return GpuSummary(
        available=gpu.available,
        name=gpu.name,
        memory_total=_gigabytes(gpu.memory_total_bytes),
        memory_used=_gigabytes(gpu.memory_used_bytes),
        utilization=(
            None if gpu.utilization_percent is None else f"{gpu.utilization_percent:.0f}%"
        ),
    )


def _gigabytes(size: int | None) -> str | None:
    return None if size is None else f"{size / GIBIBYTE:.1f}GB"


def _storage_state(settings: Settings) -> Storage:
    if not os.access(settings.data_root, os.W_OK):
        return "read-only"
    is_low = disk_info(settings.home).free_bytes < settings.read_only_below_bytes
    return "nearly full" if is_low else "writable"


def require_ready(settings: Settings) -> Health:
    """
    Raises:
        ServiceUnavailable: The database cannot be reached, or the data folder not be written.
        VersionMismatch: It is another program's by now.
    """
    state = health(settings)
    if state.db != "connected":
        raise ServiceUnavailable(
            "The database cannot be reached. It is retried; see `make status`.",
            details={"db": state.db, "redis": state.redis},
        )
    if state.components.storage == "read-only":
        raise ServiceUnavailable(
            "The data folder cannot be written. Check its owner and its file system.",
            details={"path": str(settings.data_root)},
        )
    with session_scope() as session:
        require_fitting_database(session)
    return state


def info(session: Session, settings: Settings) -> SystemInfo:
    memory = read_memory(settings.job_memory_bytes)
    gpus = read_gpus()
    cpu_name = _cpu_name()
    return SystemInfo(
        version=RELEASE,
        platform=platform.platform(),
        python=platform.python_version(),
        cpu_count=os.cpu_count() or 1,
        cpu_name=cpu_name,
        device_name=_device_name(settings, gpus, cpu_name),
        gpu_info=list(gpus),
        memory_info=MemoryInfo(total_bytes=memory.total, available_bytes=memory.available),
        disk=disk_info(settings.home),
        packages={name: found for name in PACKAGES if (found := _package_version(name))},
        workers=jobs.count_active_by_queue(session),
    )


def disk_info(home: Path) -> DiskInfo:
    """Free space of the file system that holds (or will hold) the home."""
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    usage = shutil.disk_usage(existing)
    return DiskInfo(path=str(home), total_bytes=usage.total, free_bytes=usage.free)


def _device_name(settings: Settings, gpus: Sequence[GpuHealth], cpu_name: str | None) -> str:
    if compute_device(settings).startswith("cuda"):
        if gpus and gpus[0].name:
            return gpus[0].name
        if JETSON_MODEL.exists():
            return JETSON_MODEL.read_text().strip("\0\n ")
    return cpu_name or platform.machine()


def _database_state() -> Connection:
    try:
        with session_scope() as session:
            session.execute(text("SELECT 1"))
    except (SQLAlchemyError, ServiceUnavailable):
        return "disconnected"
    return "connected"


def _broker_state(settings: Settings) -> Connection:
    try:
        with brief_redis(settings) as client:
            client.ping()
    except (redis.RedisError, OSError, ServiceUnavailable):
        return "disconnected"
    return "connected"


@cache
def _package_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def _cpu_name() -> str | None:
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() in {"model name", "Model"}:
                return value.strip()
    return platform.processor() or None
