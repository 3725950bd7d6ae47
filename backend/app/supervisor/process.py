"""A supervised program: its command, its log and how it is told to leave."""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.supervisor import launch

# Everything that the supervisor starts carries the home in this variable, grandchildren too, so
# that what a kill -9 left behind can be told from programs that merely look alike.
STACK_MARK = "MISTUDIO_STACK"


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
    process: subprocess.Popen[bytes] | None = None

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
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=os.environ | {STACK_MARK: str(self.home)} | self.environment,
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
