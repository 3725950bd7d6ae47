"""A supervised program: its command, its log and how it is told to leave."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.supervisor import launch
from app.supervisor.forked import ForkedProcess, Nursery
from app.supervisor.nursery import Order


def always_ready() -> bool:
    return True


@dataclass
class ChildProcess:
    """A program of the stack that is not a database (API, worker, sweeper, Vite)."""

    name: str
    command: list[str]
    home: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    probe: Callable[[], bool] = always_ready
    stop_timeout_seconds: float = 15.0
    nursery: Nursery | None = None
    process: subprocess.Popen[bytes] | ForkedProcess | None = None

    @property
    def log_path(self) -> Path:
        return self.home / "logs" / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        return self.is_running() and self.probe()

    def spawn(self) -> None:
        """Launch; as a copy of a process that has loaded it already, while there is one."""
        self.process = self._fork() or self._execute()

    def _fork(self) -> ForkedProcess | None:
        if self.nursery is None or self.command[:2] != [sys.executable, "-m"]:
            return None
        _, _, module, *arguments = self.command
        folder, log = str(self.folder), str(self.log_path)
        return self.nursery.fork(Order(self.name, module, arguments, self.environment, folder, log))

    def _execute(self) -> subprocess.Popen[bytes]:
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=launch.marked_environment(self.home) | self.environment,
                start_new_session=True,
                preexec_fn=launch.die_with_parent(signal.SIGKILL),
            )

    def ask_to_stop(self) -> None:
        """SIGTERM to the leader alone; a Celery worker then lets its jobs save themselves."""
        if self.is_running() and self.process is not None:
            self.process.terminate()

    def stop(self) -> None:
        """Ask, wait ``stop_timeout_seconds``, then kill the whole process group."""
        if self.process is None:
            return
        self.ask_to_stop()
        try:
            self.process.wait(self.stop_timeout_seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None
