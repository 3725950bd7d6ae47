"""What users and domain services do with jobs: create, list, ask to pause, stop or cancel."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func
from sqlalchemy.orm import Session

from app.core.enums import JobAction, JobKind, JobState, ResourceType
from app.core.errors import IllegalTransition, NotFound
from app.db.models import Job
from app.db.repositories import jobs
from app.db.repositories.base import RowPage
from app.schemas.job import JobRead
from app.services import job_events, outbox, resource_status
from app.services.job_chain import WAITS
from app.services.job_lifecycle import transition

logger = logging.getLogger(__name__)

USER = "user"
SHUTDOWN = "shutdown"

_TARGET_STATE = {
    JobAction.PAUSE: JobState.PAUSED,
    JobAction.STOP: JobState.STOPPED,
    JobAction.CANCEL: JobState.CANCELLED,
}
# A stronger request replaces a weaker one that the runner has not noticed yet.
_STRENGTH = {JobAction.PAUSE: 1, JobAction.STOP: 2, JobAction.CANCEL: 3}


@dataclass(frozen=True)
class Link:
    """A job's place in a workflow, and the job that must have given its result first."""

    workflow_id: UUID | None = None
    waits_for: UUID | None = None


class JobNotFound(NotFound):
    """No job has this id."""


def create_job(
    session: Session,
    kind: JobKind,
    resource_type: ResourceType | None,
    resource_id: UUID | None,
    payload: dict[str, Any],
    *,
    max_attempts: int = 3,
    link: Link | None = None,
    retry_of: UUID | None = None,
    job_id: UUID | None = None,
    estimate: dict[str, Any] | None = None,
) -> Job:
    """Write a queued job; its message leaves after the commit.

    Args:
        session: Open session; flushed, not committed.
        kind: Decides the queue and the task.
        resource_type: What the job works on, if that has a status to keep.
        resource_id: Id of that thing.
        payload: JSON for the task. Never a secret: rows are backed up and shown.
        max_attempts: How often a killed run is started again.
        link: Its place in a workflow; a job that waits for another sends no message yet.
        retry_of: The ended job that this one repeats.
        job_id: An id chosen by whoever asks, so that he can listen before it exists.
        estimate: What it is expected to take.
    """
    link = link or Link()
    job = Job(
        id=job_id or uuid4(),
        kind=kind,
        queue=outbox.queue_of(kind),
        state=JobState.QUEUED,
        resource_type=resource_type,
        resource_id=resource_id,
        payload=payload,
        max_attempts=max_attempts,
        workflow_id=link.workflow_id,
        waits_for=link.waits_for,
        retry_of=retry_of,
        estimate=estimate,
        message=None if link.waits_for is None else WAITS,
        # Not the transaction's time: the steps of a workflow are made in one, and have an order.
        created_at=func.clock_timestamp(),
    )
    session.add(job)
    session.flush()
    resource_status.sync(session, job)
    if link.waits_for is None:
        outbox.enqueue(session, job)
    outbox.publish(session, job_events.job_updated(job))
    logger.info("job queued", extra={"job_id": str(job.id), "kind": kind})
    return job


def get_job(session: Session, job_id: UUID) -> Job:
    job = jobs.get(session, job_id)
    if job is None:
        raise JobNotFound("There is no job with this id.", details={"job_id": str(job_id)})
    return job


def list_jobs(
    session: Session,
    *,
    page: int = 1,
    limit: int = 50,
    states: Collection[JobState] | None = None,
    kinds: Collection[JobKind] | None = None,
    resource_type: ResourceType | None = None,
    resource_id: UUID | None = None,
    workflow_id: UUID | None = None,
) -> RowPage[Job]:
    """Newest first."""
    return jobs.list_page(
        session,
        page=page,
        limit=limit,
        states=states,
        kinds=kinds,
        resource_type=resource_type,
        resource_id=resource_id,
        workflow_id=workflow_id,
    )


def read_page(rows: RowPage[Job]) -> RowPage[JobRead]:
    """Rows as the API shows them."""
    items = [JobRead.model_validate(job) for job in rows.items]
    return RowPage(items, rows.page, rows.limit, rows.total)


def latest_job_for(session: Session, resource_type: ResourceType, resource_id: UUID) -> Job | None:
    return jobs.latest_for(session, resource_type, resource_id)


def latest_jobs_for(
    session: Session, resource_type: ResourceType, resource_ids: Sequence[UUID]
) -> dict[UUID, Job]:
    """The newest job of each of several resources, in one query."""
    return jobs.latest_for_many(session, resource_type, resource_ids)


def request(session: Session, job_id: UUID, action: JobAction) -> Job:
    """Ask a job to pause, stop or cancel.

    A job that no process holds changes at once; a running one is flagged and its runner acts
    between two steps. Asking again for what already happened is no error.

    Raises:
        JobNotFound: No such job.
        IllegalTransition: The job has ended otherwise.
    """
    job = jobs.get(session, job_id, lock=True)
    if job is None:
        raise JobNotFound("There is no job with this id.", details={"job_id": str(job_id)})
    target = _TARGET_STATE[action]
    if job.state is target:
        return job
    if job.state.is_terminal:
        raise IllegalTransition(
            f"The job has already ended ({job.state}).",
            details={"job_id": str(job_id), "state": job.state, "action": action},
        )
    if not job.state.is_active:
        return transition(session, job, target, reason=USER)
    return _flag(session, job, action)


def resume(session: Session, job_id: UUID) -> Job:
    """Queue a paused job again as its next attempt; asking twice is no error.

    Raises:
        JobNotFound: No such job.
        IllegalTransition: The job is not paused.
    """
    job = jobs.get(session, job_id, lock=True)
    if job is None:
        raise JobNotFound("There is no job with this id.", details={"job_id": str(job_id)})
    if job.state in {JobState.QUEUED, JobState.STARTING}:
        return job
    if job.state is JobState.PAUSED:
        job.max_attempts += 1  # a pause is no failure, so it costs none of the attempts
    return transition(session, job, JobState.QUEUED, reason=USER)


def _flag(session: Session, job: Job, action: JobAction) -> Job:
    if job.requested is not None and _STRENGTH[job.requested] >= _STRENGTH[action]:
        return job
    job.requested = action
    job.requested_at = func.now()
    job.seq = jobs.next_seq()
    session.flush()
    outbox.publish(session, job_events.job_updated(job))
    return job
