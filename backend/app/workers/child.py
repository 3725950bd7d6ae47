"""The process that runs one attempt of one job, usually a copy of the nursery.

``python -m app.workers.child JOB_ID ATTEMPT PARENT_PID`` starts it the long way.

Requests arrive as lines on stdin (``pause``, ``stop``, ``cancel``), before them for a download the
access token. SIGTERM means that the machine
goes down: pause, to be resumed at the next start. The outcome is written to a file.
"""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import FrameType
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings, get_settings
from app.core.enums import JobAction, JobKind, JobState
from app.core.logging import configure_logging
from app.core.priority import make_way
from app.db.models import Job
from app.db.repositories import jobs
from app.services.job_lifecycle import StaleAttempt, transition
from app.services.job_log import log_path
from app.workers.context import (
    TOKEN_WORD,
    HandedToken,
    JobContext,
    JobInterrupted,
    JobOutcome,
    StopSignal,
)
from app.workers.database import fenced_transaction
from app.workers.errors import outcome_of
from app.workers.giving_way import GivingWay
from app.workers.lifeline import EXIT_ORPHANED, die_with_parent
from app.workers.outcome import Outcome, outcome_path, write_outcome
from app.workers.process_size import ProcessMeter
from app.workers.progress import ProgressReporter
from app.workers.queues import QUEUE_OF_KIND, STEERING
from app.workers.tasks import load_task

logger = logging.getLogger(__name__)

EXIT_STALE = EXIT_ORPHANED


def main(arguments: list[str]) -> int:
    """Run the job; the exit status says only whether an outcome was written."""
    job_id, attempt = UUID(arguments[0]), int(arguments[1])
    settings = get_settings()
    configure_logging(settings, process=f"job-{job_id}", job_id=str(job_id), attempt=attempt)
    make_way()
    stop, token = StopSignal(), HandedToken()
    listen_for_requests(stop, token)
    outcome = run(settings, job_id, attempt, stop, token=token)
    write_outcome(outcome_path(settings, job_id, attempt), outcome)
    return 0


Task = Callable[[JobContext], JobOutcome]


def run(
    settings: Settings,
    job_id: UUID,
    attempt: int,
    stop: StopSignal,
    load: Callable[[JobKind], Task] = load_task,
    *,
    token: HandedToken | None = None,
) -> Outcome:
    """Mark the job running, load its task, run it, and say how it ended."""
    reporter = ProgressReporter(job_id, attempt, on_stale=_exit_stale)
    meter = ProcessMeter()
    try:
        job = fenced_transaction(job_id, attempt, partial(_mark_running, job_id=job_id))
        reporter.start(job)
        task = load(job.kind)
        meter.mark_base()
        ended = run_task(task, make_context(settings, job, reporter, stop, token))
        reporter.close()
    except StaleAttempt:
        _exit_stale()
        raise
    except BaseException as error:  # edge of the task: recorded with its stack, never swallowed
        outcome = _outcome_of(error, stop)
        if outcome.failure is not None:
            logger.exception("job failed", extra={"job_id": str(job_id), "attempt": attempt})
        reporter.close(ignore_failure=True)
        return replace(outcome, measured=meter.measured())
    measured = meter.measured()
    return Outcome(ended.state, ended.result, by_shutdown=stop.by_shutdown, measured=measured)


def _outcome_of(error: BaseException, stop: StopSignal) -> Outcome:
    if stop.action is not None and type(error).__name__ == "Stopped":
        # The core's own word for it, from a task that did not translate it.
        state = JobInterrupted(stop.action).outcome().state
        return Outcome(state, by_shutdown=stop.by_shutdown)
    return outcome_of(error)


def run_task(task: Task, context: JobContext) -> JobOutcome:
    """Call the task; a request that it raised out of becomes its outcome."""
    try:
        context.raise_if_stopped()
        outcome = task(context)
        context.flush()
    except JobInterrupted as interrupted:
        context.flush()
        return interrupted.outcome()
    return outcome


def make_context(
    settings: Settings,
    job: Job,
    reporter: ProgressReporter,
    stop: StopSignal,
    token: HandedToken | None = None,
) -> JobContext:
    is_answer = QUEUE_OF_KIND[job.kind] == STEERING
    return JobContext(
        job_id=job.id,
        attempt=job.attempt,
        kind=job.kind,
        resource_type=job.resource_type,
        resource_id=job.resource_id,
        payload=job.payload,
        settings=settings,
        log_path=log_path(settings, job.id),
        reporter=reporter,
        signal=stop,
        token=token or HandedToken(),
        giving_way=None if is_answer else GivingWay(settings.run_dir, stop.wait),
    )


def listen_for_requests(stop: StopSignal, token: HandedToken) -> None:
    """Turn stdin lines and SIGTERM into the stop signal, and take the token that comes first."""

    def on_sigterm(_number: int, _frame: FrameType | None) -> None:
        stop.set(JobAction.PAUSE, by_shutdown=True)

    signal.signal(signal.SIGTERM, on_sigterm)
    threading.Thread(
        target=_read_requests, args=(stop, token), name="requests", daemon=True
    ).start()


def _read_requests(stop: StopSignal, token: HandedToken) -> None:
    # Not sys.stdin itself: its lock would be held here for ever, and a copy of this process, which
    # multiprocessing makes close it, would wait for that lock.
    requests = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
    for line in requests:
        action, _, origin = line.strip().partition(" ")
        if action == TOKEN_WORD:
            token.put(json.loads(origin))
            continue
        stop.set(JobAction(action), by_shutdown=origin == "shutdown")


def _mark_running(session: Session, job_id: UUID) -> Job:
    job = jobs.get(session, job_id, lock=True)
    if job is None:
        raise StaleAttempt("The job no longer exists.", details={"job_id": str(job_id)})
    if job.state is JobState.RUNNING:  # committed, but the answer was lost with the connection
        return job
    return transition(session, job, JobState.RUNNING)


def _exit_stale() -> None:
    logger.warning("another attempt took over, leaving")
    os._exit(EXIT_STALE)


if __name__ == "__main__":
    *words, parent = sys.argv[1:]
    die_with_parent(int(parent))
    sys.exit(main(words))
