"""The worker's side of steering: one warm process, kept between jobs."""

import json
import logging
import os
import select
import time
from typing import Any
from uuid import UUID

from app.core.config import Settings
from app.core.enums import ErrorCode, JobAction, JobKind
from app.workers import shutdown
from app.workers.database import retry_while_away
from app.workers.identity import current_process
from app.workers.job_process import JobProcess
from app.workers.lease import Lease
from app.workers.nursery import Order
from app.workers.outcome import Failure, Outcome
from app.workers.runner import Runner
from app.workers.supervise import finish, watch
from app.workers.tasks import modules_of

logger = logging.getLogger(__name__)

READ_BYTES = 65536
END_WAIT_SECONDS = 30.0


class WarmProcess:
    """The steering server and the two pipes to it."""

    def __init__(self, settings: Settings) -> None:
        self._buffer = b""
        order = Order("app.workers.steering_server", [], modules_of(JobKind.STEERING_GENERATE))
        log = settings.logs_dir / "steering.log"
        self._process = JobProcess(settings, order, log, answers=True)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send(self, command: dict[str, Any]) -> None:
        """
        Raises:
            BrokenPipeError: The process has ended.
        """
        self._process.requests.write(json.dumps(command).encode() + b"\n")

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """The next line within ``seconds``.

        Raises:
            EOFError: The process has ended.
        """
        descriptor = self._process.answers
        assert descriptor is not None
        self._process.poll()  # the nursery may have to be left for the long way
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

    def has_left(self) -> bool:
        """Whether the ended process had ended by itself."""
        return self._process.wait(END_WAIT_SECONDS) == 0

    def end(self) -> int:
        """Kill the process and what it started; its exit status."""
        status = self._process.kill(END_WAIT_SECONDS)
        self._process.close()
        return status


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
        left_idle = self._process.has_left() and not self._was_restarted
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
