"""The supervisor's end of a nursery: starting one, ordering programs, watching what it made."""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.supervisor import launch
from app.supervisor.nursery import Order

REPLY_TIMEOUT_SECONDS = 60.0  # a slow disk loads the modules for that long
_POLL_SECONDS = 0.05


class ForkedProcess:
    """A child that a nursery made; the part of ``subprocess.Popen`` that supervision needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self.returncode = -signal.SIGKILL  # gone, and nobody can say how
            else:
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """
        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(_POLL_SECONDS)
        return code

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


@dataclass
class Nursery:
    """Loads ``modules`` in a process of its own, beside everything else that a start does.

    It is only a faster way: where it fails, programs are started as any other.
    """

    modules: tuple[str, ...]
    home: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log_path = self.home / "logs" / "nursery.log"
        with log_path.open("ab") as log, suppress(OSError):
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.supervisor.nursery", str(os.getpid()), *self.modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                env=launch.marked_environment(self.home) | self.environment,
                start_new_session=True,
                preexec_fn=launch.die_with_parent(signal.SIGKILL),
            )

    def fork(self, order: Order) -> ForkedProcess | None:
        """Make one program; None when the nursery is closed or does not do its work."""
        if self.process is None or self.process.stdin is None or self.process.stdout is None:
            return None
        with launch.adopting_orphans(), suppress(OSError, ValueError):
            self.process.stdin.write(order.to_line())
            self.process.stdin.flush()
            readable, _, _ = select.select([self.process.stdout], [], [], REPLY_TIMEOUT_SECONDS)
            if readable:
                return ForkedProcess(int(self.process.stdout.readline()))
        self.close()
        return None

    def close(self) -> None:
        """Let it go; what it made stays."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
