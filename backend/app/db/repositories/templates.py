"""Queries on templates and steering presets: saved settings under a name."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.db.models import ExtractionTemplate, SteeringPreset, TrainingTemplate
from app.db.repositories.base import RowPage, SortOrder, contains_pattern, order_by, paginate

Template = TrainingTemplate | ExtractionTemplate
TemplateT = TypeVar("TemplateT", TrainingTemplate, ExtractionTemplate)
SORT_COLUMNS = ("is_favorite", "created_at", "updated_at", "name")


def get(
    session: Session, table: type[TemplateT], template_id: UUID, *, lock: bool = False
) -> TemplateT | None:
    return session.get(table, template_id, with_for_update=lock or None)


def find_by_name(session: Session, table: type[TemplateT], name: str) -> TemplateT | None:
    """The template of this name, case ignored."""
    return session.scalar(select(table).where(func.lower(table.name) == func.lower(name)))


def list_page(
    session: Session,
    table: type[TemplateT],
    *,
    page: int = 1,
    limit: int = 50,
    is_favorite: bool | None = None,
    search: str | None = None,
    model_id: UUID | None = None,
    sort_by: str = "is_favorite",
    order: SortOrder = "desc",
) -> RowPage[TemplateT]:
    """Templates, by default favourites first; for a model also those that fit every model."""
    statement = select(table).where(*_conditions(table, is_favorite, search, model_id))
    columns = {name: getattr(table, name) for name in SORT_COLUMNS}
    columns["name"] = func.lower(table.name)
    statement = order_by(statement, columns, sort_by, order, func.lower(table.name))
    return paginate(session, statement, page, limit)


def list_all(session: Session, table: type[TemplateT]) -> Sequence[TemplateT]:
    return session.scalars(select(table).order_by(func.lower(table.name))).all()


def list_presets(session: Session) -> Sequence[SteeringPreset]:
    return session.scalars(select(SteeringPreset).order_by(SteeringPreset.created_at)).all()


def find_preset(session: Session, training_id: UUID, name: str) -> SteeringPreset | None:
    """The preset of this name (case ignored) of a training."""
    statement = select(SteeringPreset).where(
        SteeringPreset.training_id == training_id,
        func.lower(SteeringPreset.name) == func.lower(name),
    )
    return session.scalar(statement.limit(1))


def _conditions(
    table: type[Template], is_favorite: bool | None, search: str | None, model_id: UUID | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if is_favorite is not None:
        conditions.append(table.is_favorite.is_(is_favorite))
    if search:
        pattern = contains_pattern(search)
        conditions.append(
            or_(
                table.name.ilike(pattern, escape="\\"),
                table.description.ilike(pattern, escape="\\"),
            )
        )
    if model_id is not None and issubclass(table, TrainingTemplate):
        conditions.append(or_(table.model_id == model_id, table.model_id.is_(None)))
    return conditions
