"""Reading trainings and their metric series."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind, ResourceType, TrainingStatus
from app.db.models import LanguageModel, Training
from app.db.repositories import datasets, features, models, trainings
from app.ml.configs import target_hook_type
from app.schemas.training import MetricPoint, TrainingEvaluation, TrainingRead
from app.services.job_summaries import summaries
from app.services.lookup import require_training
from app.services.paging import RowPage, SortOrder
from app.services.sae_views import n_latents_of
from app.services.training_runs import runs_of


def list_trainings(
    session: Session,
    *,
    page: int,
    limit: int,
    status: TrainingStatus | None = None,
    model_id: UUID | None = None,
    dataset_id: UUID | None = None,
    search: str | None = None,
    sort_by: str = "created_at",
    order: SortOrder = "desc",
) -> RowPage[TrainingRead]:
    rows = trainings.list_page(
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
    return RowPage(_read_all(session, rows.items), rows.page, rows.limit, rows.total)


def read_training(session: Session, training_id: UUID) -> TrainingRead:
    return _read_all(session, [require_training(session, training_id)])[0]


def list_metrics(
    session: Session,
    training_id: UUID,
    *,
    start_step: int | None,
    end_step: int | None,
    max_points: int,
) -> list[MetricPoint]:
    require_training(session, training_id)
    rows = trainings.list_metrics(
        session, training_id, start_step=start_step, end_step=end_step, max_points=max_points
    )
    return [MetricPoint.model_validate(row) for row in rows]


def _read_all(session: Session, rows: Sequence[Training]) -> list[TrainingRead]:
    ids = [row.id for row in rows]
    parts: dict[str, dict[UUID, Any]] = {
        "runs": runs_of(session, ids)
        | summaries(session, ResourceType.TRAINING, ids, kind=JobKind.SAE_IMPORT),
        "discoveries": summaries(session, ResourceType.TRAINING, ids, kind=JobKind.FEATURE_EXTRACT),
        "metrics": trainings.latest_metrics(session, ids),
        "checkpoints": trainings.count_checkpoints(session, ids),
        "features": features.count_by_training(session, ids),
        "models": models.get_many(session, [row.model_id for row in rows]),
        "datasets": datasets.names(session, [row.dataset_id for row in rows if row.dataset_id]),
    }
    return [_read(row, parts) for row in rows]


def _read(row: Training, parts: dict[str, dict[UUID, Any]]) -> TrainingRead:
    model: LanguageModel = parts["models"][row.model_id]
    metric = parts["metrics"].get(row.id)
    return TrainingRead(
        id=row.id,
        name=row.name or str(row.id),
        model_id=row.model_id,
        dataset_id=row.dataset_id,
        activation_id=row.activation_id,
        model_name=model.name,
        dataset_name=parts["datasets"][row.dataset_id] if row.dataset_id else None,
        source=row.source,
        layer=row.layer,
        hook_type=row.hook_type,
        target_hook_type=target_hook_type(row.encoder_type, row.hook_type),
        encoder_type=row.encoder_type,
        hyperparameters=row.hyperparameters,
        n_latents=n_latents_of(row, model) or 0,
        status=row.status,
        current_step=row.current_step,
        total_steps=row.total_steps,
        progress=100.0 if row.status is TrainingStatus.COMPLETED else row.progress,
        error_message=row.error_message,
        latest_metrics=MetricPoint.model_validate(metric) if metric else None,
        evaluation=TrainingEvaluation.model_validate(row.evaluation) if row.evaluation else None,
        n_checkpoints=parts["checkpoints"].get(row.id, 0),
        n_features=parts["features"].get(row.id, 0),
        started_at=row.started_at,
        completed_at=row.completed_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        job=parts["runs"].get(row.id),
        shares_run=row.shared_run_id is not None,
        discovery_job=parts["discoveries"].get(row.id),
    )
