"""Workflows: several steps in one request."""

from uuid import UUID

from app.api.deps import (
    LimitQuery,
    MetaDep,
    PageQuery,
    PostingDep,
    SessionDep,
    enveloped,
    failures,
    paged,
)
from app.api.section import Section
from app.schemas.common import Envelope, Page
from app.schemas.workflow import WorkflowCreate, WorkflowRead
from app.services import workflow_service

router = Section(prefix="/workflows", tags=["workflows"])


@router.post("", status_code=202, responses=failures(404, 409, 422))
def create_workflow(
    payload: WorkflowCreate, session: SessionDep, posting: PostingDep
) -> Envelope[WorkflowRead]:
    """Extract, train, discover and evaluate, each step when the one before it has succeeded."""
    return posting.created(
        payload,
        WorkflowRead,
        lambda: workflow_service.create_workflow(session, payload),
        _address,
    )


@router.get("", responses=failures())
def list_workflows(
    session: SessionDep, meta: MetaDep, page: PageQuery = 1, limit: LimitQuery = 50
) -> Page[WorkflowRead]:
    """List workflows, newest first."""
    return paged(workflow_service.list_workflows(session, page=page, limit=limit), meta)


@router.get("/{workflow_id}", responses=failures(404))
def get_workflow(workflow_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[WorkflowRead]:
    """One workflow with its steps."""
    return enveloped(workflow_service.get_workflow(session, workflow_id), meta)


@router.post("/{workflow_id}/cancel", responses=failures(404, 409))
def cancel_workflow(
    workflow_id: UUID, session: SessionDep, meta: MetaDep
) -> Envelope[WorkflowRead]:
    """Cancel what runs and what waits; what was made stays."""
    return enveloped(workflow_service.cancel_workflow(session, workflow_id), meta)


@router.post("/{workflow_id}/pause", responses=failures(404, 409))
def pause_workflow(workflow_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[WorkflowRead]:
    """Pause what runs and hold back what waits."""
    return enveloped(workflow_service.pause_workflow(session, workflow_id), meta)


@router.post("/{workflow_id}/resume", responses=failures(404, 409))
def resume_workflow(
    workflow_id: UUID, session: SessionDep, meta: MetaDep
) -> Envelope[WorkflowRead]:
    """Go on where it was paused."""
    return enveloped(workflow_service.resume_workflow(session, workflow_id), meta)


@router.post("/{workflow_id}/retry", status_code=202, responses=failures(404, 409, 422))
def retry_workflow(
    workflow_id: UUID, session: SessionDep, posting: PostingDep
) -> Envelope[WorkflowRead]:
    """Repeat the step that ended it, and the steps behind that one."""
    return posting.created(
        None,
        WorkflowRead,
        lambda: workflow_service.retry_workflow(session, workflow_id),
        _address,
    )


def _address(workflow: WorkflowRead) -> str:
    return f"/workflows/{workflow.id}"
