"""Queries on activation stores."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.enums import ActivationStatus
from app.db.models import Activation, Training
from app.db.repositories.base import RowPage, SortOrder, order_by, paginate

SORT_COLUMNS = {
    "created_at": Activation.created_at,
    "n_tokens": Activation.n_tokens,
    "size_bytes": Activation.size_bytes,
    "status": Activation.status,
}


def get(session: Session, activation_id: UUID, *, lock: bool = False) -> Activation | None:
    return session.get(Activation, activation_id, with_for_update=lock or None)


def list_page(
    session: Session,
    *,
    page: int = 1,
    limit: int = 50,
    status: ActivationStatus | None = None,
    model_id: UUID | None = None,
    dataset_id: UUID | None = None,
    sort_by: str = "created_at",
    order: SortOrder = "desc",
) -> RowPage[Activation]:
    statement = select(Activation)
    if status is not None:
        statement = statement.where(Activation.status == status)
    if model_id is not None:
        statement = statement.where(Activation.model_id == model_id)
    if dataset_id is not None:
        statement = statement.where(Activation.dataset_id == dataset_id)
    statement = order_by(statement, SORT_COLUMNS, sort_by, order, Activation.id)
    return paginate(session, statement, page, limit)


def list_ready(
    session: Session, model_id: UUID, dataset_id: UUID | None = None
) -> list[Activation]:
    """The finished stores of a model, on a dataset or on any, newest first."""
    statement = select(Activation).where(
        Activation.model_id == model_id, Activation.status == ActivationStatus.READY
    )
    if dataset_id is not None:
        statement = statement.where(Activation.dataset_id == dataset_id)
    return list(session.scalars(statement.order_by(Activation.created_at.desc())))


def training_ids(session: Session, activation_id: UUID) -> list[UUID]:
    """Trainings that read the store."""
    return list(session.scalars(select(Training.id).where(Training.activation_id == activation_id)))
