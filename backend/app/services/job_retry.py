"""Doing an ended job again: a new job that names the old one, and the steps that waited for it."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind, JobState, ResourceType
from app.core.errors import IllegalTransition, NotFound, NotReady
from app.db.models import Job, Training
from app.db.repositories import jobs, trainings
from app.services import job_service, resource_status
from app.services.job_chain import has_given_result
from app.services.usage import refuse_if_busy

RETRIED = frozenset({JobState.FAILED, JobState.CANCELLED})


class ResourceGone(NotFound):
    """What the job worked on was deleted."""


def retry(session: Session, job_id: UUID) -> Job:
    """Queue what a failed or cancelled job was to do once more.

    The steps of its workflow that never started, given up because of it or cancelled with it, are
    queued behind the new job.

    Raises:
        JobNotFound: No such job.
        IllegalTransition: It has not ended, has succeeded, or was stopped on purpose.
        ResourceGone: There is nothing left to work on.
        NotReady: The step before it has not given its result.
        InUse: Another job works on the same thing.
    """
    job = job_service.get_job(session, job_id)
    if job.state not in RETRIED:
        raise IllegalTransition(
            f"Only a failed or cancelled job can be repeated; this one is {job.state}.",
            details={"job_id": str(job.id), "state": job.state},
        )
    before = jobs.get(session, job.waits_for) if job.waits_for is not None else None
    if before is not None and not has_given_result(before):
        raise NotReady(
            "This step never started. Repeat the one before it; this one follows by itself.",
            details={"job_id": str(job.id), "waits_for": str(job.waits_for)},
        )
    for resource_type, resource_id in _resources(session, job):
        refuse_if_busy(session, f"The {resource_type}", resource_type, resource_id)
    return _repeat(session, job, waits_for=None)


def _repeat(session: Session, job: Job, waits_for: UUID | None) -> Job:
    if job.kind is JobKind.TRAINING_RUN:
        session.get_one(Training, job.resource_id).evaluation = None
    sharing = trainings.list_sharing(session, job.id, lock=True)
    again = job_service.create_job(
        session,
        job.kind,
        job.resource_type,
        sharing[0].id if sharing else job.resource_id,
        job.payload,
        link=job_service.Link(job.workflow_id, waits_for),
        retry_of=job.id,
        estimate=job.estimate,
    )
    for training in sharing:
        training.evaluation, training.shared_run_id = None, again.id
    if sharing:
        resource_status.sync(session, again)
    for follower in jobs.list_followers(session, job.id):
        if follower.state in RETRIED:
            _repeat(session, follower, waits_for=again.id)
    return again


def _resources(session: Session, job: Job) -> list[tuple[ResourceType, UUID]]:
    """What is left of what the job worked on: of a shared run the trainings that still share it."""
    if job.resource_type is None or job.resource_id is None:
        return []
    sharing = trainings.list_sharing(session, job.id)
    left = [row.id for row in sharing] if sharing else [job.resource_id]
    table = resource_status.TABLES[job.resource_type]
    if session.get(table, left[0]) is None or (job.kind is JobKind.TRAINING_GRID and not sharing):
        raise ResourceGone(
            f"The {job.resource_type} that the job worked on was deleted.",
            details={"job_id": str(job.id), "resource_id": str(job.resource_id)},
        )
    return [(job.resource_type, resource_id) for resource_id in left]
