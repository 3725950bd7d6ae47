"""Queries on trainings as dictionaries: what has weights, or is being imported."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.core.enums import SaeSource
from app.db.models import Checkpoint, Training
from app.db.repositories.base import RowPage, SortOrder, contains_pattern, order_by, paginate

SORT_COLUMNS = {
    "created_at": Training.created_at,
    "name": Training.name,
    "layer": Training.layer,
    "status": Training.status,
}


def list_page(
    session: Session,
    *,
    page: int,
    limit: int,
    source: SaeSource | None = None,
    model_id: UUID | None = None,
    search: str | None = None,
    sort_by: str = "created_at",
    order: SortOrder = "desc",
) -> RowPage[Training]:
    has_weights = select(Checkpoint.id).where(Checkpoint.training_id == Training.id).exists()
    statement = select(Training).where(or_(has_weights, Training.source == SaeSource.IMPORTED))
    if source is not None:
        statement = statement.where(Training.source == source)
    if model_id is not None:
        statement = statement.where(Training.model_id == model_id)
    if search:
        statement = statement.where(Training.name.ilike(contains_pattern(search), escape="\\"))
    statement = order_by(statement, SORT_COLUMNS, sort_by, order, Training.id)
    return paginate(session, statement, page, limit)


def checkpoints_of(session: Session, training_ids: Sequence[UUID]) -> dict[UUID, list[Checkpoint]]:
    """The checkpoints of several trainings, newest first."""
    found: dict[UUID, list[Checkpoint]] = defaultdict(list)
    statement = select(Checkpoint).where(Checkpoint.training_id.in_(training_ids))
    for row in session.scalars(statement.order_by(Checkpoint.step.desc())):
        found[row.training_id].append(row)
    return found
