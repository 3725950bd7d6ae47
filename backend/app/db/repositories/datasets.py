"""Queries on datasets and their tokenizations."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.enums import DatasetStatus, TokenizationStatus
from app.db.models import Activation, Dataset, Tokenization, Training
from app.db.repositories.base import RowPage, SortOrder, contains_pattern, order_by, paginate

SORT_COLUMNS = {
    "created_at": Dataset.created_at,
    "updated_at": Dataset.updated_at,
    "name": Dataset.name,
    "size_bytes": Dataset.size_bytes,
    "status": Dataset.status,
}


def get(session: Session, dataset_id: UUID, *, lock: bool = False) -> Dataset | None:
    return session.get(Dataset, dataset_id, with_for_update=lock or None)


def list_page(
    session: Session,
    *,
    page: int = 1,
    limit: int = 50,
    status: DatasetStatus | None = None,
    search: str | None = None,
    sort_by: str = "created_at",
    order: SortOrder = "desc",
) -> RowPage[Dataset]:
    statement = select(Dataset)
    if status is not None:
        statement = statement.where(Dataset.status == status)
    if search:
        statement = statement.where(Dataset.name.ilike(contains_pattern(search), escape="\\"))
    statement = order_by(statement, SORT_COLUMNS, sort_by, order, Dataset.id)
    return paginate(session, statement, page, limit)


def find_by_name(session: Session, name: str) -> Dataset | None:
    """The dataset of this name (case ignored) that has not failed."""
    statement = select(Dataset).where(
        func.lower(Dataset.name) == name.lower(), Dataset.status != DatasetStatus.ERROR
    )
    return session.scalar(statement.order_by(Dataset.created_at.desc()).limit(1))


def dependents(session: Session, dataset_id: UUID) -> dict[str, list[UUID]]:
    """Ids of the rows that forbid deleting the dataset, by what they are."""
    return {
        "activations": list(
            session.scalars(select(Activation.id).where(Activation.dataset_id == dataset_id))
        ),
        "trainings": list(
            session.scalars(select(Training.id).where(Training.dataset_id == dataset_id))
        ),
    }


def get_tokenization(
    session: Session, tokenization_id: UUID, *, lock: bool = False
) -> Tokenization | None:
    return session.get(Tokenization, tokenization_id, with_for_update=lock or None)


def list_tokenizations(session: Session, dataset_id: UUID) -> list[Tokenization]:
    statement = (
        select(Tokenization)
        .where(Tokenization.dataset_id == dataset_id)
        .order_by(Tokenization.created_at.desc(), Tokenization.id)
    )
    return list(session.scalars(statement))


def latest_tokenization(
    session: Session,
    dataset_id: UUID,
    model_id: UUID,
    *,
    status: TokenizationStatus | None = TokenizationStatus.READY,
) -> Tokenization | None:
    """The newest tokenization of a dataset for a model, by default only a finished one."""
    statement = select(Tokenization).where(
        Tokenization.dataset_id == dataset_id, Tokenization.model_id == model_id
    )
    if status is not None:
        statement = statement.where(Tokenization.status == status)
    return session.scalar(statement.order_by(Tokenization.created_at.desc()).limit(1))


def names(session: Session, dataset_ids: Sequence[UUID]) -> dict[UUID, str]:
    statement = select(Dataset.id, Dataset.name).where(Dataset.id.in_(dataset_ids))
    return dict(session.execute(statement).all())


def tokenizations_of(
    session: Session, dataset_ids: Sequence[UUID]
) -> dict[UUID, list[Tokenization]]:
    """Newest first, by dataset."""
    statement = (
        select(Tokenization)
        .where(Tokenization.dataset_id.in_(dataset_ids))
        .order_by(Tokenization.created_at.desc(), Tokenization.id)
    )
    found: dict[UUID, list[Tokenization]] = {}
    for tokenization in session.scalars(statement):
        found.setdefault(tokenization.dataset_id, []).append(tokenization)
    return found
