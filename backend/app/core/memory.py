"""Memory as far as this process may use it: a container's or a service's limit counts.

psutil tells of the whole machine. Below a control group with a limit, as Docker, Kubernetes and
systemd make them, the kernel ends processes long before that machine is full.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class Memory:
    """Bytes: ``total`` that may ever be used, ``available`` without swapping now."""

    total: int
    available: int


@dataclass(frozen=True)
class _Files:
    """Where one version of control groups keeps its figures."""

    limits: tuple[str, ...]
    used: str
    cache: tuple[str, str]


_V1 = _Files(
    ("memory.limit_in_bytes",),
    "memory.usage_in_bytes",
    ("total_active_file", "total_inactive_file"),
)
# Above the second the kernel slows a program down until it is of no use.
_V2 = _Files(
    ("memory.max", "memory.high"),
    "memory.current",
    ("active_file", "inactive_file"),
)


def read_memory(limit_bytes: int | None = None) -> Memory:
    """Read what is free now; the tightest limit on the way to the root group decides.

    Args:
        limit_bytes: A limit that this process cannot see, such as the one of another container.
            It takes the place of this process's own.
    """
    machine = psutil.virtual_memory()
    if limit_bytes is not None:
        found = Memory(limit_bytes, limit_bytes)
        return _tighter(Memory(machine.total, machine.available), found)
    memory = Memory(machine.total, machine.available)
    for folder, files in _groups():
        if (limited := _read(folder, files)) is not None:
            memory = _tighter(memory, limited)
    return memory


def _tighter(one: Memory, other: Memory) -> Memory:
    return Memory(min(one.total, other.total), min(one.available, other.available))


def _groups() -> Iterator[tuple[Path, _Files]]:
    """Folders of this process's memory groups, the innermost first."""
    try:
        lines = OWN_GROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _number, controllers, path = line.split(":", 2)
        if controllers == "":
            root, files = GROUPS, _V2
        elif "memory" in controllers.split(","):
            root, files = GROUPS / "memory", _V1
        else:
            continue
        own = root / path.lstrip("/")
        # In a container the path may be the host's; its own group is the root that it sees then.
        folder = own if own.is_dir() else root
        while folder.is_relative_to(root):
            yield folder, files
            folder = folder.parent


def _read(folder: Path, files: _Files) -> Memory | None:
    """A group's limit and what is left of it; None where there is none."""
    limits = [limit for name in files.limits if (limit := _limit(folder / name)) is not None]
    if not limits:
        return None
    try:
        used = int((folder / files.used).read_text())
        cached = _cached_bytes((folder / "memory.stat").read_text(), files)
    except (OSError, ValueError):
        return None
    limit = min(limits)
    return Memory(limit, max(limit - max(used - cached, 0), 0))


def _limit(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # "max" is no number
        return None


def _cached_bytes(stat: str, files: _Files) -> int:
    """Pages of files, which the kernel gives up before it ends a process."""
    figures: Mapping[str, str] = dict(line.split(" ", 1) for line in stat.splitlines())
    return sum(int(figures.get(name, 0)) for name in files.cache)
