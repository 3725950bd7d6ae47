"""Python, processor, memory, disk, file system."""

import fcntl
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from app.cli.checks.outcome import Outcome, bad, ok, warn
from app.cli.console import format_bytes
from app.core.config import Settings
from app.core.memory import read_memory

_GIGABYTE = 1000**3
_SYNC_SIZE_BYTES = 16 * 1000**2
_SLOW_BYTES_PER_SECOND = 20 * 1000**2  # an SD card


def check_python(_settings: Settings) -> Outcome:
    version = ".".join(map(str, sys.version_info[:3]))
    return ok("python", f"{version} at {sys.executable}")


def check_cores(_settings: Settings) -> Outcome:
    cores = len(os.sched_getaffinity(0))
    if cores < 2:
        return warn("cores", f"{cores}", "Two or more make trainings bearable.")
    return ok("cores", f"{cores}")


def check_memory(_settings: Settings) -> Outcome:
    memory = read_memory()
    finding = f"{format_bytes(memory.available)} of {format_bytes(memory.total)} available"
    if memory.available < 1.5 * _GIGABYTE:
        return bad("memory", finding, "Close other programs; the demo needs about 3 GB.")
    if memory.available < 3 * _GIGABYTE:
        return warn("memory", finding, "The demo needs about 3 GB; choose small models.")
    return ok("memory", finding)


def check_disk(settings: Settings) -> Outcome:
    free = shutil.disk_usage(_existing_parent(settings.home)).free
    finding = f"{format_bytes(free)} free for {settings.home}"
    if free < 2 * _GIGABYTE:
        return bad("disk", finding, "Free some space, or move the home with MISTUDIO_HOME=…")
    if free < 10 * _GIGABYTE:
        return warn("disk", finding, "Activations are large; 10 GB are comfortable.")
    return ok("disk", finding)


def check_file_system(settings: Settings) -> Outcome:
    """Locks, rename and fsync must work there; the write rate is measured on the way."""
    folder = _existing_parent(settings.home)
    if not os.access(folder, os.W_OK):
        return bad("home", f"{folder} is not writable", "Choose another home: MISTUDIO_HOME=…")
    began = time.perf_counter()
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(bytes(_SYNC_SIZE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return bad("home", f"{folder}: {error.strerror}", "Choose a local disk: MISTUDIO_HOME=…")
    rate = _SYNC_SIZE_BYTES / (time.perf_counter() - began)
    finding = f"{folder} writes {format_bytes(rate)}/s"
    if rate < _SLOW_BYTES_PER_SECOND:
        return warn("home", finding, "A faster disk makes extraction faster: MISTUDIO_HOME=…")
    return ok("home", finding)


def _existing_parent(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())
