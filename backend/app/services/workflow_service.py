"""Workflows: every step is a row and a job from the start, and waits for the one before it.

All that can be known at once is checked at once, so a request that cannot work fails before its
first hour of extraction.
"""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobAction, JobKind, JobState, ResourceType
from app.core.errors import IllegalTransition, NotFound
from app.db.models import Job, Workflow
from app.db.repositories import jobs, workflows
from app.ml.configs import DiscoveryConfig
from app.schemas.activation import ActivationExtract
from app.schemas.training import TrainingCreate
from app.schemas.workflow import WorkflowCreate, WorkflowRead
from app.services import job_retry, job_service
from app.services.activation_service import extract_activations
from app.services.discovery_service import queue_discovery
from app.services.job_service import Link
from app.services.lookup import require_activation, require_ready_model
from app.services.ml_settings import build_config
from app.services.paging import RowPage
from app.services.training_service import create_training
from app.services.workflow_views import read_workflow, steps_of, what_ended


class WorkflowNotFound(NotFound):
    pass


def create_workflow(session: Session, request: WorkflowCreate) -> WorkflowRead:
    """Make the rows of all steps and queue the first.

    Raises:
        NotReady: Model, dataset or the given store is not ready.
        LayerNotFound: The model or the store lacks the layer or the hook type.
        ValidationFailed: Settings that do not exist together, in any of the steps.
    """
    model = require_ready_model(session, request.model_id)
    workflow = Workflow(name=request.name or request.train.name or f"{model.name} workflow")
    session.add(workflow)
    session.flush()
    store_id, before = _extract(session, workflow, request)
    training_id, before = _train(session, workflow, request, store_id, before)
    if request.discover is not None:
        before = _discover(session, workflow, request, training_id, before)
    if request.evaluate:
        link = Link(workflow.id, before)
        training = (ResourceType.TRAINING, training_id)
        job_service.create_job(session, JobKind.TRAINING_EVALUATE, *training, {}, link=link)
    return read_workflow(session, workflow)


def get_workflow(session: Session, workflow_id: UUID) -> WorkflowRead:
    return read_workflow(session, _require(session, workflow_id))


def list_workflows(session: Session, *, page: int, limit: int) -> RowPage[WorkflowRead]:
    """Newest first."""
    rows = workflows.list_page(session, page=page, limit=limit)
    items = [read_workflow(session, row) for row in rows.items]
    return RowPage(items, rows.page, rows.limit, rows.total)


def cancel_workflow(session: Session, workflow_id: UUID) -> WorkflowRead:
    """Cancel what runs and what waits; what was made stays."""
    return _ask(session, workflow_id, JobAction.CANCEL)


def pause_workflow(session: Session, workflow_id: UUID) -> WorkflowRead:
    """Pause what runs and hold back what waits."""
    return _ask(session, workflow_id, JobAction.PAUSE)


def resume_workflow(session: Session, workflow_id: UUID) -> WorkflowRead:
    """Go on where it was paused.

    Raises:
        IllegalTransition: No step is paused.
    """
    workflow = _require(session, workflow_id)
    paused = [job for job in _held_steps(session, workflow) if job.state is JobState.PAUSED]
    if not paused:
        raise IllegalTransition(
            "No step of this workflow is paused.", details={"workflow_id": str(workflow_id)}
        )
    for job in paused:
        job_service.resume(session, job.id)
    return read_workflow(session, workflow)


def retry_workflow(session: Session, workflow_id: UUID) -> WorkflowRead:
    """Repeat the step that ended it, and the steps behind that one.

    Raises:
        IllegalTransition: No step has failed or was cancelled.
    """
    workflow = _require(session, workflow_id)
    ended = what_ended(steps_of(session, workflow.id))
    if ended is None:
        raise IllegalTransition(
            "No step of this workflow has failed.", details={"workflow_id": str(workflow_id)}
        )
    job_retry.retry(session, ended.id)
    return read_workflow(session, workflow)


def _extract(
    session: Session, workflow: Workflow, request: WorkflowCreate
) -> tuple[UUID, UUID | None]:
    """The store, and the job that makes it if it is not there yet."""
    if request.activation_id is not None:
        return request.activation_id, None
    assert request.extract is not None
    wanted = ActivationExtract(
        model_id=request.model_id,
        dataset_id=request.dataset_id,
        **request.extract.model_dump(exclude_unset=True),
    )
    accepted = extract_activations(session, wanted, link=Link(workflow.id))
    assert accepted.resource_id is not None
    return accepted.resource_id, accepted.job_id


def _train(
    session: Session,
    workflow: Workflow,
    request: WorkflowCreate,
    store_id: UUID,
    before: UUID | None,
) -> tuple[UUID, UUID]:
    wanted = TrainingCreate(
        model_id=request.model_id,
        dataset_id=request.dataset_id,
        activation_id=store_id,
        **request.train.model_dump(exclude_unset=True),
    )
    made = create_training(
        session,
        wanted,
        store=require_activation(session, store_id) if before is not None else None,
        link=Link(workflow.id, before),
        evaluate=False,
    )
    return made.training_id, made.job_id


def _discover(
    session: Session,
    workflow: Workflow,
    request: WorkflowCreate,
    training_id: UUID,
    before: UUID,
) -> UUID:
    assert request.discover is not None
    values = request.discover.model_dump(exclude_unset=True)
    config = build_config(DiscoveryConfig, values, prefix="discover.")
    return queue_discovery(session, training_id, config, link=Link(workflow.id, before)).id


def _ask(session: Session, workflow_id: UUID, action: JobAction) -> WorkflowRead:
    workflow = _require(session, workflow_id)
    unfinished = [job for job in _held_steps(session, workflow) if not job.state.is_terminal]
    if not unfinished:
        raise IllegalTransition(
            "Every step of this workflow has ended.", details={"workflow_id": str(workflow_id)}
        )
    for job in reversed(unfinished):  # the last first: nothing then waits for what is cancelled
        job_service.request(session, job.id, action)
    return read_workflow(session, workflow)


def _held_steps(session: Session, workflow: Workflow) -> list[Job]:
    """The steps with their rows held, in the order in which transitions take them."""
    jobs.hold_workflow(session, workflow.id)
    return steps_of(session, workflow.id)


def _require(session: Session, workflow_id: UUID) -> Workflow:
    workflow = workflows.get(session, workflow_id)
    if workflow is None:
        raise WorkflowNotFound(
            "There is no workflow with this id.", details={"workflow_id": str(workflow_id)}
        )
    return workflow
