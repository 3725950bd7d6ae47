"""Queries on language models."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.enums import ModelStatus
from app.db.models import Activation, LanguageModel, Tokenization, Training
from app.db.repositories.base import RowPage, SortOrder, contains_pattern, order_by, paginate

SORT_COLUMNS = {
    "created_at": LanguageModel.created_at,
    "updated_at": LanguageModel.updated_at,
    "name": LanguageModel.name,
    "params_count": LanguageModel.params_count,
    "status": LanguageModel.status,
}


def get(session: Session, model_id: UUID, *, lock: bool = False) -> LanguageModel | None:
    return session.get(LanguageModel, model_id, with_for_update=lock or None)


def list_page(
    session: Session,
    *,
    page: int = 1,
    limit: int = 50,
    status: ModelStatus | None = None,
    search: str | None = None,
    sort_by: str = "created_at",
    order: SortOrder = "desc",
) -> RowPage[LanguageModel]:
    statement = select(LanguageModel)
    if status is not None:
        statement = statement.where(LanguageModel.status == status)
    if search:
        pattern = contains_pattern(search)
        statement = statement.where(LanguageModel.name.ilike(pattern, escape="\\"))
    statement = order_by(statement, SORT_COLUMNS, sort_by, order, LanguageModel.id)
    return paginate(session, statement, page, limit)


def list_ready(session: Session) -> list[LanguageModel]:
    statement = select(LanguageModel).where(LanguageModel.status == ModelStatus.READY)
    return list(session.scalars(statement.order_by(LanguageModel.name)))


def find_by_name(session: Session, name: str) -> LanguageModel | None:
    """The model of this name (case ignored) that has not failed."""
    statement = select(LanguageModel).where(
        func.lower(LanguageModel.name) == name.lower(), LanguageModel.status != ModelStatus.ERROR
    )
    return session.scalar(statement.order_by(LanguageModel.created_at.desc()).limit(1))


def dependents(session: Session, model_id: UUID) -> dict[str, list[UUID]]:
    """Ids of the rows that forbid deleting the model, by what they are.

    Tokenizations do not: the delete job removes them with their files.
    """
    return {
        "activations": list(
            session.scalars(select(Activation.id).where(Activation.model_id == model_id))
        ),
        "trainings": list(
            session.scalars(select(Training.id).where(Training.model_id == model_id))
        ),
    }


def list_tokenizations(session: Session, model_id: UUID) -> list[Tokenization]:
    return list(session.scalars(select(Tokenization).where(Tokenization.model_id == model_id)))


def names(session: Session, model_ids: Sequence[UUID]) -> dict[UUID, str]:
    statement = select(LanguageModel.id, LanguageModel.name).where(LanguageModel.id.in_(model_ids))
    return dict(session.execute(statement).all())


def get_many(session: Session, model_ids: Sequence[UUID]) -> dict[UUID, LanguageModel]:
    statement = select(LanguageModel).where(LanguageModel.id.in_(model_ids))
    return {model.id: model for model in session.scalars(statement)}
