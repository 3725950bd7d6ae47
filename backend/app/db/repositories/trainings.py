"""Queries on trainings, their metric series and their checkpoints."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session, aliased

from app.core.enums import TrainingStatus
from app.db.models import Checkpoint, Job, Training, TrainingMetric
from app.db.repositories.base import RowPage, SortOrder, contains_pattern, order_by, paginate

SORT_COLUMNS = {
    "created_at": Training.created_at,
    "updated_at": Training.updated_at,
    "name": Training.name,
    "status": Training.status,
    "progress": Training.progress,
}


def get(session: Session, training_id: UUID, *, lock: bool = False) -> Training | None:
    return session.get(Training, training_id, with_for_update=lock or None)


def list_sharing(session: Session, job_id: UUID, *, lock: bool = False) -> list[Training]:
    """Trainings that share a run, in the order in which they were made."""
    statement = select(Training).where(Training.shared_run_id == job_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(statement.order_by(Training.created_at, Training.id)))


def shared_runs(session: Session, training_ids: Sequence[UUID]) -> dict[UUID, Job]:
    """The run of each training that shares one."""
    statement = select(Training.id, Job).join(Job, Job.id == Training.shared_run_id)
    rows = session.execute(statement.where(Training.id.in_(training_ids)))
    return {row[0]: row[1] for row in rows}


def list_page(
    session: Session,
    *,
    page: int = 1,
    limit: int = 50,
    status: TrainingStatus | None = None,
    model_id: UUID | None = None,
    dataset_id: UUID | None = None,
    search: str | None = None,
    sort_by: str = "created_at",
    order: SortOrder = "desc",
) -> RowPage[Training]:
    statement = select(Training)
    if status is not None:
        statement = statement.where(Training.status == status)
    if model_id is not None:
        statement = statement.where(Training.model_id == model_id)
    if dataset_id is not None:
        statement = statement.where(Training.dataset_id == dataset_id)
    if search:
        statement = statement.where(Training.name.ilike(contains_pattern(search), escape="\\"))
    statement = order_by(statement, SORT_COLUMNS, sort_by, order, Training.id)
    return paginate(session, statement, page, limit)


def add_metrics(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert metric rows; one that is already there (same training and step) is replaced.

    Args:
        session: Open session.
        rows: Each has ``training_id``, ``step`` and the same further columns.
    """
    if not rows:
        return
    statement = insert(TrainingMetric).values(list(rows))
    replaced = {name: statement.excluded[name] for name in rows[0] if name != "training_id"}
    session.execute(
        statement.on_conflict_do_update(index_elements=["training_id", "step"], set_=replaced)
    )


def list_metrics(
    session: Session,
    training_id: UUID,
    *,
    start_step: int | None = None,
    end_step: int | None = None,
    max_points: int | None = None,
) -> list[TrainingMetric]:
    """The metric series in step order, thinned evenly to about ``max_points``; ends are kept."""
    conditions = [TrainingMetric.training_id == training_id]
    if start_step is not None:
        conditions.append(TrainingMetric.step >= start_step)
    if end_step is not None:
        conditions.append(TrainingMetric.step <= end_step)
    statement = select(TrainingMetric).where(*conditions)
    total = session.scalar(select(func.count(TrainingMetric.id)).where(*conditions)) or 0
    if max_points is not None and total > max_points:
        stride = -(-total // max_points)
        number = func.row_number().over(order_by=TrainingMetric.step)
        numbered = select(TrainingMetric, number.label("n")).where(*conditions).subquery()
        metric = aliased(TrainingMetric, numbered)
        kept = ((numbered.c.n - 1) % stride == 0) | (numbered.c.n == total)
        return list(session.scalars(select(metric).where(kept).order_by(metric.step)))
    return list(session.scalars(statement.order_by(TrainingMetric.step)))


def latest_metrics(session: Session, training_ids: Sequence[UUID]) -> dict[UUID, TrainingMetric]:
    """The last metric row of each training."""
    statement = (
        select(TrainingMetric)
        .where(TrainingMetric.training_id.in_(training_ids))
        .ext(distinct_on(TrainingMetric.training_id))
        .order_by(TrainingMetric.training_id, TrainingMetric.step.desc())
    )
    return {metric.training_id: metric for metric in session.scalars(statement)}


def delete_metrics_after(session: Session, training_id: UUID, step: int) -> None:
    """Forget what was logged after a checkpoint that training goes back to."""
    session.query(TrainingMetric).where(
        TrainingMetric.training_id == training_id, TrainingMetric.step > step
    ).delete(synchronize_session=False)


def get_checkpoint(session: Session, checkpoint_id: UUID) -> Checkpoint | None:
    return session.get(Checkpoint, checkpoint_id, populate_existing=True)


def list_checkpoints(session: Session, training_id: UUID) -> list[Checkpoint]:
    """Newest first."""
    statement = (
        select(Checkpoint)
        .where(Checkpoint.training_id == training_id)
        .order_by(Checkpoint.step.desc())
    )
    return list(session.scalars(statement))


def latest_checkpoint(session: Session, training_id: UUID) -> Checkpoint | None:
    statement = (
        select(Checkpoint)
        .where(Checkpoint.training_id == training_id)
        .order_by(Checkpoint.step.desc())
        .limit(1)
    )
    return session.scalar(statement)


def put_checkpoint(
    session: Session,
    training_id: UUID,
    step: int,
    *,
    file_path: str,
    loss: float | None,
    file_size_bytes: int | None,
    metadata: Mapping[str, Any] | None = None,
) -> UUID:
    """Record a committed checkpoint folder; a second record of the same step replaces the first."""
    values = {
        Checkpoint.loss: loss,
        Checkpoint.file_path: file_path,
        Checkpoint.file_size_bytes: file_size_bytes,
        Checkpoint.metadata_: dict(metadata or {}),
    }
    statement = insert(Checkpoint).values(
        {Checkpoint.training_id: training_id, Checkpoint.step: step, **values}
    )
    statement = statement.on_conflict_do_update(
        index_elements=["training_id", "step"],
        set_={column.property.columns[0].name: value for column, value in values.items()},
    )
    return session.execute(statement.returning(Checkpoint.id)).scalar_one()


def count_checkpoints(session: Session, training_ids: Sequence[UUID]) -> dict[UUID, int]:
    statement = (
        select(Checkpoint.training_id, func.count())
        .where(Checkpoint.training_id.in_(training_ids))
        .group_by(Checkpoint.training_id)
    )
    return dict(session.execute(statement).all())


def delete_checkpoints(session: Session, training_id: UUID, steps: Sequence[int]) -> None:
    """Forget checkpoints whose folders are gone."""
    session.query(Checkpoint).where(
        Checkpoint.training_id == training_id, Checkpoint.step.in_(steps)
    ).delete(synchronize_session=False)


def delete_checkpoints_after(session: Session, training_id: UUID, step: int) -> None:
    session.query(Checkpoint).where(
        Checkpoint.training_id == training_id, Checkpoint.step > step
    ).delete(synchronize_session=False)


def set_current_step(session: Session, training_id: UUID, step: int) -> None:
    session.query(Training).where(Training.id == training_id).update(
        {Training.current_step: step}, synchronize_session=False
    )
