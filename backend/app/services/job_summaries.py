"""The running or latest job of a resource, as it is embedded in the resource."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session, object_session

from app.core.enums import JobKind, ResourceType
from app.db.models import Job
from app.db.repositories import jobs
from app.schemas.common import JobAccepted
from app.schemas.job import JobSummary


def summaries(
    session: Session,
    resource_type: ResourceType,
    resource_ids: Sequence[UUID],
    *,
    kind: JobKind | None = None,
) -> dict[UUID, JobSummary]:
    """The newest job of each resource, by default of any kind."""
    found = jobs.latest_for_many(session, resource_type, resource_ids, kind=kind)
    return {resource_id: JobSummary.model_validate(job) for resource_id, job in found.items()}


def accepted(job: Job) -> JobAccepted:
    """The answer to everything that was queued.

    Its duration is the median of the last jobs of this kind; none is claimed before the first
    has ended.
    """
    session = object_session(job)
    seconds = jobs.typical_seconds(session, job.kind) if session is not None else None
    return JobAccepted(
        job_id=job.id,
        resource_id=job.resource_id,
        status=job.state,
        estimated_duration_seconds=seconds,
    )


def shown_progress(ready: bool, job: JobSummary | None, stored: float | None) -> float | None:
    """Progress in percent: 100 when ready, else that of the job."""
    if ready:
        return 100.0
    return job.progress if job is not None else stored
