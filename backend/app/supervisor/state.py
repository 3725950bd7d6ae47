"""What the supervisor tells the rest: ``home/run/services.json``, and the lock of the home."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from app.supervisor.private_files import write_private


class StackPhase(StrEnum):
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True)
class ProcessState:
    """One supervised process as others see it."""

    name: str
    pid: int | None
    state: str
    started_at: float | None
    restarts: int
    log: str


@dataclass(frozen=True)
class StackState:
    """The whole stack. ``database_url`` and ``redis_url`` are read by ``core.config.Settings``."""

    pid: int
    pid_created_at: float
    phase: StackPhase
    message: str
    started_at: float
    database_url: str | None = None
    redis_url: str | None = None
    url: str | None = None
    page_url: str | None = None
    processes: list[ProcessState] = field(default_factory=list)

    def is_alive(self) -> bool:
        """Whether the very supervisor that wrote this still runs (pids are reused)."""
        return is_same_process(self.pid, self.pid_created_at)


def is_same_process(pid: int, created_at: float) -> bool:
    """Whether ``pid`` is alive and was started at ``created_at`` (seconds since the epoch)."""
    try:
        process = psutil.Process(pid)
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and abs(process.create_time() - created_at) < 0.5
        )
    except psutil.NoSuchProcess:
        return False


def write_state(path: Path, state: StackState) -> None:
    """Replace the file in one step; it holds passwords, so only its owner may read it."""
    write_private(path, json.dumps(asdict(state), indent=1))


def read_state(path: Path) -> StackState | None:
    """The last state that a supervisor wrote; None when there is none or it is not readable."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        processes = [ProcessState(**item) for item in raw.pop("processes")]
        return StackState(**{**raw, "phase": StackPhase(raw["phase"]), "processes": processes})
    except (OSError, ValueError, KeyError, TypeError):
        return None


class HomeInUse(Exception):
    """Another supervisor holds the home."""


def lock_home(run_folder: Path) -> int:
    """Take the home for this process until it ends; the kernel frees it on any death.

    Returns:
        The file descriptor that holds the lock.

    Raises:
        HomeInUse: another supervisor holds it.
    """
    descriptor = os.open(run_folder / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise HomeInUse(f"another supervisor uses {run_folder.parent}") from error
    return descriptor
