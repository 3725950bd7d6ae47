"""Starting, asking and ending the process of one attempt."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import app
from app.core.config import Settings
from app.core.enums import ErrorCode, JobAction
from app.workers.child_environment import compute_environment
from app.workers.errors import INTERNAL_TEXT, OOM_TEXT, TRUNCATED_TEXT
from app.workers.outcome import Failure, Outcome, outcome_path, take_outcome
from app.workers.runner import Runner

BACKEND_FOLDER = Path(app.__file__).parent.parent
KILL_WAIT_SECONDS = 10.0
_VMSTAT = Path("/proc/vmstat")


class ChildProcess(Runner):
    """A child in its own session, so that it and what it starts can be ended together."""

    def __init__(
        self, settings: Settings, job_id: UUID, attempt: int, log: Path, device_fd: int | None
    ) -> None:
        super().__init__()
        self._outcome_file = outcome_path(settings, job_id, attempt)
        self._outcome_file.unlink(missing_ok=True)
        self._oom_kills = count_oom_kills()
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "app.workers.child"),
                    *(str(job_id), str(attempt), str(os.getpid())),
                ],
                cwd=BACKEND_FOLDER,
                env=compute_environment(),
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                pass_fds=() if device_fd is None else (device_fd,),
            )

    def wait(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def deliver(self, action: JobAction, by_shutdown: bool) -> None:
        stream = self.process.stdin
        if stream is not None:
            origin = "shutdown" if by_shutdown else "user"
            stream.write(f"{action.value} {origin}\n".encode())
            stream.flush()

    def kill(self) -> None:
        self.was_killed = True
        self._signal_group(signal.SIGKILL)
        self.process.wait(KILL_WAIT_SECONDS)

    def close(self) -> None:
        """Make sure that nothing of the child's group lives on."""
        self._signal_group(signal.SIGKILL)
        if self.process.stdin is not None:
            self.process.stdin.close()

    def outcome(self) -> Outcome:
        outcome = take_outcome(self._outcome_file)
        if outcome is not None:
            return outcome
        status = self.process.returncode
        if status < 0:
            return Outcome("interrupted", failure=self._failure_of_signal(-status))
        failure = Failure(ErrorCode.INTERNAL_ERROR, INTERNAL_TEXT, {"exit_status": status})
        return Outcome("failed", failure=failure)

    def _failure_of_signal(self, number: int) -> Failure:
        details = {"signal": signal.Signals(number).name}
        if number == signal.SIGKILL and count_oom_kills() > self._oom_kills:
            return Failure(ErrorCode.OUT_OF_MEMORY, OOM_TEXT, details)
        if number == signal.SIGBUS:
            return Failure(ErrorCode.STORE_INVALID, TRUNCATED_TEXT, details)
        text = f"The job's process was ended by {details['signal']}."
        return Failure(ErrorCode.WORKER_LOST, text, details)

    def _signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return


def count_oom_kills() -> int:
    """How often the kernel ended a process for want of memory since boot (0 where unknown)."""
    if not _VMSTAT.exists():
        return 0
    for line in _VMSTAT.read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return 0
