"""The worker's side of steering: one warm process, kept between jobs."""

import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from typing import Any
from uuid import UUID

from app.core.config import Settings
from app.core.enums import ErrorCode, JobAction
from app.workers import shutdown
from app.workers.child_environment import compute_environment
from app.workers.child_process import BACKEND_FOLDER
from app.workers.database import retry_while_away
from app.workers.identity import current_process
from app.workers.lease import Lease
from app.workers.outcome import Failure, Outcome
from app.workers.runner import Runner
from app.workers.supervise import finish, watch

logger = logging.getLogger(__name__)

READ_BYTES = 65536


class WarmProcess:
    """The steering server and the two pipes to it."""

    def __init__(self, settings: Settings) -> None:
        log = settings.logs_dir / "steering.log"
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._buffer = b""
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.workers.steering_server", str(os.getpid())],
                cwd=BACKEND_FOLDER,
                env=compute_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                start_new_session=True,
            )

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def send(self, command: dict[str, Any]) -> None:
        """
        Raises:
            BrokenPipeError: The process has ended.
        """
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """The next line within ``seconds``.

        Raises:
            EOFError: The process has ended.
        """
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                return None
            read = os.read(descriptor, READ_BYTES)
            if not read:
                raise EOFError
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> int:
        """Kill the process and what it started; its exit status."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            logger.debug("steering process had ended")
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        return self.process.wait()


class SteeringRun(Runner):
    """One job in the warm process."""

    # Whoever asked waits at the page; nobody waits for it after the next start.
    shutdown_action = JobAction.CANCEL

    def __init__(self, settings: Settings, job_id: UUID, attempt: int) -> None:
        super().__init__()
        self._command = {"run": str(job_id), "attempt": attempt}
        self._settings = settings
        self._was_restarted = False
        self._outcome: Outcome | None = None
        self._process = _start_job(settings, self._command)

    def deliver(self, action: JobAction, by_shutdown: bool) -> None:
        self._process.send({"request": action.value, "by_shutdown": by_shutdown})

    def wait(self, seconds: float) -> bool:
        try:
            answer = self._process.receive(seconds)
        except EOFError:
            return not self._started_again()
        if answer is not None:
            self._outcome = Outcome.from_json(answer["outcome"])
        return self._outcome is not None

    def kill(self) -> None:
        self.was_killed = True
        self._lost()

    def outcome(self) -> Outcome:
        if self._outcome is None:
            raise RuntimeError("the steering job has not ended")
        return self._outcome

    def _started_again(self) -> bool:
        """Whether the process had left for idleness just before the job arrived."""
        left_idle = self._process.process.wait() == 0 and not self._was_restarted
        if left_idle:
            self._was_restarted = True
            self._process = _start_job(self._settings, self._command)
        else:
            self._lost()
        return left_idle

    def _lost(self) -> None:
        global _warm
        status = self._process.end()
        _warm = None
        if self._outcome is None:
            text = f"The steering process ended unexpectedly (status {status})."
            failure = Failure(ErrorCode.WORKER_LOST, text, {"exit_status": status})
            self._outcome = Outcome("interrupted", failure=failure)


_warm: WarmProcess | None = None


def run_job(settings: Settings, job_id: UUID, attempt: int) -> None:
    """Run a steering job to its end; a duplicate delivery returns at once."""
    lease = Lease(settings, job_id, attempt, str(current_process()))
    if retry_while_away(lease.reserve, give_up=shutdown.requested) is None:
        logger.info("duplicate delivery", extra={"job_id": str(job_id), "attempt": attempt})
        return
    if not retry_while_away(lease.claim, give_up=shutdown.requested):
        return
    run = SteeringRun(settings, job_id, attempt)
    watch(settings, run, lease)
    finish(settings, run, lease)


def _start_job(settings: Settings, command: dict[str, Any]) -> WarmProcess:
    """Send a job to the warm process; one that has just left for idleness is started again."""
    global _warm
    if _warm is not None and _warm.is_alive():
        try:
            _warm.send(command)
        except BrokenPipeError:
            _warm.end()
        else:
            return _warm
    _warm = WarmProcess(settings)
    _warm.send(command)
    return _warm
