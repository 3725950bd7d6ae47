"""Jobs that follow one another: what becomes of those behind a job that ended.

Called by the one door, ``job_lifecycle.transition``, inside its transaction, so that there is no
moment at which a step has ended and the next is neither released nor given up. Nothing of it is
in the broker: wiping that costs a message, which the sweeper sends again.
"""

from sqlalchemy.orm import Session

from app.core.enums import TRAINING_RUNS, ErrorCode, JobState
from app.core.errors import AppError
from app.db.models import Job
from app.db.repositories import jobs
from app.services import outbox

NOT_STARTED = "not started"
WAITS = "Waits for the step before it."

_ENDS = {
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
    JobState.STOPPED: "was stopped",
}


class StepNotStarted(AppError):
    """A job was given up because the one that it needed gave no result."""


def has_given_result(job: Job) -> bool:
    """Whether the next step can work: a training that was stopped early keeps what it learned."""
    if job.state is JobState.STOPPED:
        return job.kind in TRAINING_RUNS
    return job.state is JobState.SUCCEEDED


def release_followers(session: Session, job: Job) -> list[Job]:
    """Let the jobs go that waited for one that has given its result; a paused one stays paused."""
    if not has_given_result(job):
        return []
    released = jobs.list_waiting_for(session, job.id)
    for follower in released:
        follower.waits_for = None
        follower.message = None
        follower.seq = jobs.next_seq()
        session.flush()
        if follower.state is JobState.QUEUED:
            outbox.enqueue(session, follower)
    return released


def lost_followers(session: Session, job: Job) -> list[Job]:
    """The jobs that wait for one that will never give its result."""
    if not job.state.is_terminal or has_given_result(job):
        return []
    return jobs.list_waiting_for(session, job.id)


def why_not_started(job: Job) -> StepNotStarted:
    """Why the steps behind ``job`` do not start: its own code and sentence, or its cause's."""
    text = job.error_message or ""
    if job.reason != NOT_STARTED:
        step = job.kind.replace("_", " ")
        text = f"Not started: the {step} before it {_ENDS[job.state]}. {text}".rstrip()
    error = StepNotStarted(text, details={"job_id": str(job.id), "kind": job.kind})
    error.code = ErrorCode(job.error_code) if job.error_code else ErrorCode.NOT_READY
    return error
