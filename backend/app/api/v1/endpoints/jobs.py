"""Jobs: everything that runs long."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.api.deps import (
    LimitQuery,
    MetaDep,
    PageQuery,
    PostingDep,
    SessionDep,
    SettingsDep,
    enveloped,
    failures,
    paged,
)
from app.api.section import Section
from app.core.enums import JobAction, JobKind, JobState, ResourceType
from app.schemas.common import Envelope, Page
from app.schemas.job import JobLog, JobRead
from app.services import job_log, job_retry, job_service

router = Section(prefix="/jobs", tags=["jobs"])


@router.get("", responses=failures())
def list_jobs(
    session: SessionDep,
    meta: MetaDep,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
    state: Annotated[list[JobState] | None, Query(description="May be repeated")] = None,
    kind: Annotated[list[JobKind] | None, Query(description="May be repeated")] = None,
    resource_type: ResourceType | None = None,
    resource_id: UUID | None = None,
    workflow_id: UUID | None = None,
) -> Page[JobRead]:
    """List jobs, newest first."""
    rows = job_service.list_jobs(
        session,
        page=page,
        limit=limit,
        states=state,
        kinds=kind,
        resource_type=resource_type,
        resource_id=resource_id,
        workflow_id=workflow_id,
    )
    return paged(job_service.read_page(rows), meta)


@router.get("/{job_id}", responses=failures(404))
def get_job(job_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[JobRead]:
    """One job."""
    return enveloped(JobRead.model_validate(job_service.get_job(session, job_id)), meta)


@router.post("/{job_id}/cancel", responses=failures(404, 409))
def cancel_job(job_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[JobRead]:
    """Cancel a job; a running one ends between two steps, within a second or so."""
    job = job_service.request(session, job_id, JobAction.CANCEL)
    return enveloped(JobRead.model_validate(job), meta)


@router.post("/{job_id}/pause", responses=failures(404, 409))
def pause_job(job_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[JobRead]:
    """Pause a job: it saves what it can go on from and frees the device."""
    job = job_service.request(session, job_id, JobAction.PAUSE)
    return enveloped(JobRead.model_validate(job), meta)


@router.post("/{job_id}/resume", responses=failures(404, 409))
def resume_job(job_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[JobRead]:
    """Go on with a paused job."""
    return enveloped(JobRead.model_validate(job_service.resume(session, job_id)), meta)


@router.post("/{job_id}/retry", status_code=202, responses=failures(404, 409, 422))
def retry_job(job_id: UUID, session: SessionDep, posting: PostingDep) -> Envelope[JobRead]:
    """Do a failed or cancelled job again, as a new job; so are the steps that waited for it."""
    return posting.created(
        None,
        JobRead,
        lambda: JobRead.model_validate(job_retry.retry(session, job_id)),
        lambda made: f"/jobs/{made.id}",
    )


@router.get("/{job_id}/log", responses=failures(404))
def read_job_log(
    job_id: UUID,
    session: SessionDep,
    settings: SettingsDep,
    meta: MetaDep,
    lines: Annotated[int, Query(ge=1, le=5000, description="Lines from the end")] = 200,
) -> Envelope[JobLog]:
    """The end of a job's log."""
    return enveloped(job_log.read_log(session, settings, job_id, lines), meta)
