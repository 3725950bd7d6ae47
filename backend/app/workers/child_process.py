"""Starting, asking and ending the process of one attempt."""

import json
import signal
import subprocess
from pathlib import Path

from app.core.config import Settings
from app.core.enums import ErrorCode, JobAction, JobKind
from app.db.models import Job
from app.services.hub import tokens
from app.workers.context import TOKEN_WORD
from app.workers.errors import INTERNAL_TEXT, OOM_TEXT, TRUNCATED_TEXT
from app.workers.job_process import JobProcess
from app.workers.nursery import Order
from app.workers.outcome import Failure, Outcome, outcome_path, take_outcome
from app.workers.runner import Runner
from app.workers.tasks import modules_of

KILL_WAIT_SECONDS = 10.0
READS_FROM_THE_HUB = frozenset(
    {JobKind.DATASET_DOWNLOAD, JobKind.MODEL_DOWNLOAD, JobKind.SAE_IMPORT}
)
_VMSTAT = Path("/proc/vmstat")


class ChildProcess(Runner):
    """A child that runs one attempt and then ends.

    Args:
        settings: Where outcomes and the nursery are found.
        job: What it runs; ``attempt`` of it.
        log: Gets what it prints.
        device_fd: Open file of the lock of the device, if the job takes one.
    """

    def __init__(
        self, settings: Settings, job: Job, attempt: int, log: Path, device_fd: int | None
    ) -> None:
        super().__init__()
        self._outcome_file = outcome_path(settings, job.id, attempt)
        self._outcome_file.unlink(missing_ok=True)
        self._oom_kills = count_oom_kills()
        order = Order("app.workers.child", [str(job.id), str(attempt)], modules_of(job.kind))
        held = () if device_fd is None else (device_fd,)
        self._process = JobProcess(settings, order, log, held=held)
        self._status: int | None = None
        if job.kind in READS_FROM_THE_HUB:
            self._hand_over(tokens.read(settings, job.id))

    def _hand_over(self, token: str | None) -> None:
        """By pipe: arguments, environment and files of the child are read by others."""
        self._process.requests.write(f"{TOKEN_WORD} {json.dumps(token)}\n".encode())

    def wait(self, seconds: float) -> bool:
        try:
            self._status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def deliver(self, action: JobAction, by_shutdown: bool) -> None:
        origin = "shutdown" if by_shutdown else "user"
        self._process.requests.write(f"{action.value} {origin}\n".encode())

    def kill(self) -> None:
        self.was_killed = True
        self._status = self._process.kill(KILL_WAIT_SECONDS)

    def close(self) -> None:
        """Make sure that nothing of the child's group lives on."""
        self._process.close()

    def outcome(self) -> Outcome:
        outcome = take_outcome(self._outcome_file)
        if outcome is not None:
            return outcome
        status = self._status
        if status is None:
            raise RuntimeError("the child has not ended")
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


def count_oom_kills() -> int:
    """How often the kernel ended a process for want of memory since boot (0 where unknown)."""
    if not _VMSTAT.exists():
        return 0
    for line in _VMSTAT.read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return 0
