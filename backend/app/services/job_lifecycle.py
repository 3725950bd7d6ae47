"""The only door to ``jobs.state``: one table of legal changes, one function that makes them."""

import logging
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.enums import JobState
from app.core.errors import AppError, IllegalTransition, NotFound
from app.db.models import Job
from app.db.repositories import jobs

# Every process that changes rows goes through here; the cache listens to its sessions.
from app.services import cache as cache
from app.services import counters, job_chain, job_events, outbox, resource_status
from app.services.counters import Count
from app.services.hub import tokens

logger = logging.getLogger(__name__)

S = JobState
TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    S.QUEUED: frozenset({S.STARTING, S.PAUSED, S.STOPPED, S.CANCELLED, S.FAILED}),
    S.STARTING: frozenset({S.RUNNING, S.PAUSED, S.STOPPED, S.CANCELLED, S.FAILED, S.INTERRUPTED}),
    S.RUNNING: frozenset({S.SUCCEEDED, S.PAUSED, S.STOPPED, S.CANCELLED, S.FAILED, S.INTERRUPTED}),
    S.PAUSED: frozenset({S.QUEUED, S.STOPPED, S.CANCELLED, S.FAILED}),
    S.INTERRUPTED: frozenset({S.QUEUED, S.PAUSED, S.STOPPED, S.CANCELLED, S.FAILED}),
    S.SUCCEEDED: frozenset(),
    S.STOPPED: frozenset(),
    S.CANCELLED: frozenset(),
    S.FAILED: frozenset(),
}
HELD_STATES = frozenset({S.STARTING, S.RUNNING})


class StaleAttempt(IllegalTransition):
    """A runner tried to write for an attempt that no longer owns the job."""


def can_change(current: JobState, to: JobState) -> bool:
    return to in TRANSITIONS[current]


def transition(
    session: Session,
    job: Job,
    to: JobState,
    *,
    attempt: int | None = None,
    reason: str | None = None,
    error: AppError | None = None,
    result: dict[str, Any] | None = None,
) -> Job:
    """Move a job to another state, with its resource's status and the events of the change.

    The row is locked and read again first, so of two concurrent changes the second is judged by
    what the first one left.

    Args:
        session: Open session; the caller commits.
        job: The job; its attributes are refreshed.
        to: State to move to.
        attempt: Fencing token of a runner; None for a user's or the sweeper's change.
        reason: Why, in a word or two: ``user``, ``shutdown``, ``child killed``, …
        error: What failed; its code and sentence are stored.
        result: What the job produced.

    Raises:
        StaleAttempt: Another attempt took over.
        IllegalTransition: The table does not allow this change.
        NotFound: The job was deleted.
    """
    session.flush()
    locked = jobs.get(session, job.id, lock=True)
    if locked is None:
        raise NotFound("The job no longer exists.", details={"job_id": str(job.id)})
    if attempt is not None and locked.attempt != attempt:
        raise StaleAttempt(
            "Another attempt of this job took over.",
            details={"job_id": str(job.id), "attempt": attempt, "current": locked.attempt},
        )
    if not can_change(locked.state, to):
        raise IllegalTransition(
            f"A job that is {locked.state} cannot become {to}.",
            details={"job_id": str(job.id), "state": locked.state, "to": to},
        )
    came_from = locked.state
    if to is JobState.CANCELLED and locked.requested_at is not None:
        counters.add(Count.CANCELS)
        counters.add(
            Count.CANCEL_SECONDS, (datetime.now(UTC) - locked.requested_at).total_seconds()
        )
    _apply(locked, to, reason=reason, error=error, result=result)
    session.flush()
    resource_status.sync(session, locked)
    if to is JobState.QUEUED and locked.waits_for is None:
        outbox.enqueue(session, locked)
    if to.is_terminal:
        outbox.after_commit(session, partial(tokens.forget, get_settings(), locked.id))
    job_events.publish_transition(session, locked)
    _log(locked, came_from)
    _move_followers(session, locked)
    return locked


def _move_followers(session: Session, job: Job) -> None:
    """Release or give up the jobs that waited for this one."""
    for follower in job_chain.release_followers(session, job):
        outbox.publish(session, job_events.job_updated(follower))
    for follower in job_chain.lost_followers(session, job):
        reason, error = job_chain.NOT_STARTED, job_chain.why_not_started(job)
        transition(session, follower, JobState.FAILED, reason=reason, error=error)


def _apply(
    job: Job,
    to: JobState,
    *,
    reason: str | None,
    error: AppError | None,
    result: dict[str, Any] | None,
) -> None:
    job.state = to
    job.reason = reason
    job.seq = jobs.next_seq()
    if to is JobState.STARTING:
        job.started_at = func.coalesce(Job.started_at, func.now())
    if to not in HELD_STATES:
        _release(job)
    if to is JobState.QUEUED:
        job.attempt += 1
        job.message = None
    if to is JobState.SUCCEEDED:
        job.progress = 100.0
    if to.is_terminal:
        job.finished_at = func.now()
    if result is not None:
        job.result = result
    _set_error(job, to, error)


def _release(job: Job) -> None:
    job.lease_owner = None
    job.lease_expires_at = None
    job.requested = None
    job.requested_at = None
    job.eta_seconds = None


def _set_error(job: Job, to: JobState, error: AppError | None) -> None:
    if error is not None:
        job.error_code = error.code
        job.error_message = error.message
        job.error_details = error.details
    elif to in {JobState.RUNNING, JobState.SUCCEEDED, JobState.PAUSED}:
        job.error_code = job.error_message = job.error_details = None


def _log(job: Job, came_from: JobState) -> None:
    logger.info(
        "job %s",
        job.state,
        extra={
            "job_id": str(job.id),
            "kind": job.kind,
            "attempt": job.attempt,
            "from": came_from,
            "to": job.state,
            "reason": job.reason,
            "error_code": job.error_code,
        },
    )
