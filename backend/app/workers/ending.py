"""What becomes of a job when its process has ended."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import ErrorCode, JobAction, JobState
from app.core.errors import AppError
from app.db.models import Job
from app.db.repositories import jobs
from app.services.job_lifecycle import StaleAttempt, transition
from app.services.job_service import SHUTDOWN, USER
from app.workers.outcome import Failure, Outcome
from app.workers.pressure import REASON_OF_CODE
from app.workers.process_size import together

_STATE_OF_ACTION = {
    JobAction.PAUSE: JobState.PAUSED,
    JobAction.STOP: JobState.STOPPED,
    JobAction.CANCEL: JobState.CANCELLED,
}
# Nothing is wrong with the job itself; memory is not among them, since it may be its own.
GIVEN_OUT = frozenset({ErrorCode.DISK_FULL, ErrorCode.DEVICE_LOST})
LOST = Failure(
    ErrorCode.WORKER_LOST,
    "The process that ran the job disappeared several times. The job's log may say why.",
)


def record_outcome(
    session: Session,
    job_id: UUID,
    attempt: int,
    outcome: Outcome,
    killed_for: JobAction | None = None,
    pressure: Failure | None = None,
) -> Job:
    """Write the end of an attempt.

    Args:
        session: Open session; the caller commits.
        job_id: The job.
        attempt: The attempt that ended.
        outcome: What its process said, or what its exit status says.
        killed_for: The request that it did not follow in time, if it was killed for that.
        pressure: What gave out on the machine, if it had to make way for that.

    Raises:
        StaleAttempt: A later attempt owns the job, or it has ended already.
    """
    job = jobs.get(session, job_id, lock=True)
    if job is None or job.attempt != attempt or not job.state.is_active:
        raise StaleAttempt("The job no longer belongs to this attempt.")
    if outcome.measured is not None:
        job.measured = together(job.measured, outcome.measured)
    if (given_out := _what_gave_out(job, outcome, killed_for, pressure)) is not None:
        return _make_way(session, job, given_out)
    if outcome.state == JobState.INTERRUPTED and killed_for is not None:
        by_user = job.requested is not None
        return _end(session, job, _STATE_OF_ACTION[killed_for], USER if by_user else SHUTDOWN)
    if outcome.state == JobState.INTERRUPTED:
        return interrupt(session, job, outcome.failure or LOST)
    if outcome.failure is not None:
        return _fail(session, job, outcome.failure.as_error())
    state = JobState(outcome.state)
    if state is JobState.SUCCEEDED:
        return _succeed(session, job, outcome)
    if job.requested is JobAction.CANCEL:
        state = JobState.CANCELLED
    reason = SHUTDOWN if outcome.by_shutdown and job.requested is None else USER
    return _end(session, job, state, reason, outcome)


def _what_gave_out(
    job: Job, outcome: Outcome, killed_for: JobAction | None, pressure: Failure | None
) -> Failure | None:
    """Why the machine, and no person, ended the attempt."""
    if job.requested is not None or outcome.by_shutdown:
        return None
    if outcome.failure is not None and outcome.failure.code in GIVEN_OUT:
        return outcome.failure
    paused = outcome.state == JobState.PAUSED or killed_for is JobAction.PAUSE
    return pressure if paused else None


def _make_way(session: Session, job: Job, failure: Failure) -> Job:
    """Pause with the numbers; the sweeper queues the job again when the machine recovers."""
    job.message = failure.message
    reason = REASON_OF_CODE[failure.code]
    return transition(session, job, JobState.PAUSED, reason=reason, error=failure.as_error())


def interrupt(session: Session, job: Job, failure: Failure) -> Job:
    """Mark an attempt as lost and queue the next one, unless it was the last.

    A request that was pending is followed instead: nobody runs a cancelled job again.
    """
    requested = job.requested
    error = failure.as_error()
    job = transition(session, job, JobState.INTERRUPTED, reason=failure.code, error=error)
    if requested is not None:
        return transition(session, job, _STATE_OF_ACTION[requested], reason=USER)
    if job.attempt >= job.max_attempts:
        return transition(session, job, JobState.FAILED, error=error)
    return transition(session, job, JobState.QUEUED, reason=failure.code)


def _succeed(session: Session, job: Job, outcome: Outcome) -> Job:
    _pass_through_running(session, job)
    return transition(session, job, JobState.SUCCEEDED, result=outcome.result)


def _fail(session: Session, job: Job, error: AppError) -> Job:
    return transition(session, job, JobState.FAILED, error=error)


def _end(
    session: Session, job: Job, state: JobState, reason: str, outcome: Outcome | None = None
) -> Job:
    result = outcome.result if outcome else None
    return transition(session, job, state, reason=reason, result=result)


def _pass_through_running(session: Session, job: Job) -> None:
    if job.state is JobState.STARTING:
        transition(session, job, JobState.RUNNING)
