"""Who holds a job: a process named so that another process can tell whether it still lives.

A process id alone is reused; together with the boot, the pid namespace and the start time it
is not.
"""

import os
import platform
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True)
class ProcessIdentity:
    host: str
    boot: str
    namespace: str
    pid: int
    started: str

    def __str__(self) -> str:
        return "|".join((self.host, self.boot, self.namespace, str(self.pid), self.started))

    @classmethod
    def parse(cls, text: str) -> "ProcessIdentity | None":
        """The identity that a row holds, or None when it is of another form."""
        parts = text.split("|")
        if len(parts) != 5 or not parts[3].isdigit():
            return None
        return cls(parts[0], parts[1], parts[2], int(parts[3]), parts[4])

    def is_provably_dead(self) -> bool:
        """True only when this machine can see that the process is gone.

        False for a living process and also where it cannot be known: another host, or another
        container on this one. There only the lease decides.
        """
        if self.host != socket.gethostname():
            return False
        if self.boot != boot_id():
            return True
        if self.namespace != _pid_namespace():
            return False
        return _start_time(self.pid) != self.started

    def can_be_checked(self) -> bool:
        """Whether ``is_provably_dead`` can see that process at all."""
        if self.host != socket.gethostname():
            return False
        return self.boot != boot_id() or self.namespace == _pid_namespace()


def current_process() -> ProcessIdentity:
    """The identity of the calling process (not cached: workers fork)."""
    pid = os.getpid()
    return ProcessIdentity(
        socket.gethostname(), boot_id(), _pid_namespace(), pid, _start_time(pid) or "0"
    )


@cache
def boot_id() -> str:
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text().strip()
    return f"{platform.node()}-{psutil.boot_time():.0f}"


@cache
def _pid_namespace() -> str:
    return str(_PID_NAMESPACE.readlink()) if _PID_NAMESPACE.exists() else "host"


def _start_time(pid: int) -> str | None:
    """Start of a process in clock ticks since boot (Linux), which no clock change moves."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _start_time_elsewhere(pid)
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else fields[19]


def _start_time_elsewhere(pid: int) -> str | None:
    if Path("/proc/self").exists():
        return None
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return None
