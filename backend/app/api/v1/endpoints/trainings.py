"""Trainings of sparse autoencoders, their metrics and checkpoints."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.api.deps import (
    LimitQuery,
    MetaDep,
    OrderQuery,
    PageQuery,
    PostingDep,
    SearchQuery,
    SessionDep,
    SettingsDep,
    SortQuery,
    enveloped,
    failures,
    paged,
    queued,
)
from app.api.section import Section
from app.core.enums import TrainingStatus
from app.schemas.common import Envelope, JobAccepted, Page
from app.schemas.estimate import Estimate
from app.schemas.training import (
    CheckpointRead,
    MetricPoint,
    TrainingCreate,
    TrainingCreated,
    TrainingGridCreate,
    TrainingGridCreated,
    TrainingRead,
)
from app.services import checkpoint_service, training_grids, training_service, training_views

router = Section(prefix="/trainings", tags=["trainings"])
StepQuery = Annotated[int | None, Query(ge=0)]
PointsQuery = Annotated[int, Query(ge=2, le=20_000, description="The series is thinned to this")]


@router.get("", responses=failures())
def list_trainings(
    session: SessionDep,
    meta: MetaDep,
    page: PageQuery = 1,
    limit: LimitQuery = 20,
    status: TrainingStatus | None = None,
    model_id: UUID | None = None,
    dataset_id: UUID | None = None,
    search: SearchQuery = None,
    sort_by: SortQuery = "created_at",
    order: OrderQuery = "desc",
) -> Page[TrainingRead]:
    """List trainings."""
    rows = training_views.list_trainings(
        session,
        page=page,
        limit=limit,
        status=status,
        model_id=model_id,
        dataset_id=dataset_id,
        search=search,
        sort_by=sort_by,
        order=order,
    )
    return paged(rows, meta)


@router.post("", status_code=201, responses=failures(404, 409, 422, 507))
def create_training(
    body: TrainingCreate, session: SessionDep, posting: PostingDep
) -> Envelope[TrainingCreated]:
    """Start a training."""
    return posting.created(
        body,
        TrainingCreated,
        lambda: training_service.create_training(session, body),
        lambda made: f"/trainings/{made.training_id}",
    )


@router.post("/estimate", responses=failures(404, 409, 422))
def estimate_training(
    body: TrainingCreate, session: SessionDep, meta: MetaDep
) -> Envelope[Estimate]:
    """Say what a training would take: memory, disk, time, and what is short."""
    return enveloped(training_service.estimate_training(session, body), meta)


@router.post("/grid", status_code=201, responses=failures(404, 409, 422, 507))
def create_grid(
    body: TrainingGridCreate, session: SessionDep, posting: PostingDep
) -> Envelope[TrainingGridCreated]:
    """Start several trainings that share one pass over the activations."""
    return posting.created(
        body,
        TrainingGridCreated,
        lambda: training_grids.create_grid(session, body),
        lambda made: f"/jobs/{made.job_id}",
    )


@router.post("/grid/estimate", responses=failures(404, 409, 422))
def estimate_grid(
    body: TrainingGridCreate, session: SessionDep, meta: MetaDep
) -> Envelope[Estimate]:
    """Say what a grid of trainings would take, all of them at once."""
    return enveloped(training_grids.estimate(session, body), meta)


@router.get("/{training_id}", responses=failures(404))
def get_training(training_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[TrainingRead]:
    """Read one training with its newest point and its held-out figures."""
    return enveloped(training_views.read_training(session, training_id), meta)


@router.post("/{training_id}/pause", responses=failures(404, 409))
def pause_training(training_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[TrainingRead]:
    """Pause: a checkpoint is written and the device is freed."""
    return enveloped(training_service.pause_training(session, training_id), meta)


@router.post("/{training_id}/resume", responses=failures(404, 409))
def resume_training(
    training_id: UUID, session: SessionDep, meta: MetaDep
) -> Envelope[TrainingRead]:
    """Resume from the latest checkpoint."""
    return enveloped(training_service.resume_training(session, training_id), meta)


@router.post("/{training_id}/stop", responses=failures(404, 409))
def stop_training(training_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[TrainingRead]:
    """End early: a checkpoint is written and measured."""
    return enveloped(training_service.stop_training(session, training_id), meta)


@router.delete("/{training_id}", status_code=202, responses=failures(404, 409))
def delete_training(
    training_id: UUID, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[JobAccepted]:
    """Delete a training with its checkpoints, metrics and features in the background."""
    return queued(training_service.delete_training(session, training_id), meta, response)


@router.get("/{training_id}/metrics", responses=failures(404))
def list_metrics(
    training_id: UUID,
    session: SessionDep,
    meta: MetaDep,
    start_step: StepQuery = None,
    end_step: StepQuery = None,
    max_points: PointsQuery = 2_000,
) -> Envelope[list[MetricPoint]]:
    """Read the metric series in step order."""
    points = training_views.list_metrics(
        session, training_id, start_step=start_step, end_step=end_step, max_points=max_points
    )
    return enveloped(points, meta)


@router.get("/{training_id}/checkpoints", responses=failures(404))
def list_checkpoints(
    training_id: UUID, session: SessionDep, meta: MetaDep
) -> Envelope[list[CheckpointRead]]:
    """List checkpoints, newest first."""
    return enveloped(checkpoint_service.list_checkpoints(session, training_id), meta)


@router.post("/{training_id}/checkpoints", status_code=202, responses=failures(404, 409, 422))
def save_checkpoint(
    training_id: UUID, session: SessionDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Save a checkpoint now."""
    return posting.queued(None, lambda: checkpoint_service.save_now(session, training_id))


@router.delete("/{training_id}/checkpoints/{checkpoint_id}", responses=failures(404, 409))
def delete_checkpoint(
    training_id: UUID,
    checkpoint_id: UUID,
    session: SessionDep,
    settings: SettingsDep,
    meta: MetaDep,
) -> Envelope[CheckpointRead]:
    """Delete a checkpoint."""
    deleted = checkpoint_service.delete_checkpoint(session, settings, training_id, checkpoint_id)
    return enveloped(deleted, meta)


@router.post("/{training_id}/checkpoints/{checkpoint_id}/load", responses=failures(404, 409))
def load_checkpoint(
    training_id: UUID,
    checkpoint_id: UUID,
    session: SessionDep,
    settings: SettingsDep,
    meta: MetaDep,
) -> Envelope[TrainingRead]:
    """Go back to a checkpoint and train on from it."""
    training = checkpoint_service.load_checkpoint(session, settings, training_id, checkpoint_id)
    return enveloped(training, meta)
