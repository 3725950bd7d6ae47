"""Queries on steering runs and presets."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from app.db.models import SteeringPreset, SteeringRun
from app.db.repositories.base import RowPage, paginate


def get(session: Session, run_id: UUID) -> SteeringRun | None:
    return session.get(SteeringRun, run_id)


def list_page(
    session: Session, *, model_id: UUID | None, page: int, limit: int
) -> RowPage[SteeringRun]:
    """Newest first, without their directions."""
    statement = select(SteeringRun).options(defer(SteeringRun.directions))
    if model_id is not None:
        statement = statement.where(SteeringRun.model_id == model_id)
    statement = statement.order_by(SteeringRun.created_at.desc(), SteeringRun.id)
    return paginate(session, statement, page, limit)


def get_preset(session: Session, preset_id: UUID, *, lock: bool = False) -> SteeringPreset | None:
    return session.get(SteeringPreset, preset_id, with_for_update=lock or None)


def list_presets(session: Session, training_id: UUID | None) -> Sequence[SteeringPreset]:
    """Favourites first, then by name."""
    statement = select(SteeringPreset)
    if training_id is not None:
        statement = statement.where(SteeringPreset.training_id == training_id)
    order = (SteeringPreset.is_favorite.desc(), func.lower(SteeringPreset.name), SteeringPreset.id)
    return session.scalars(statement.order_by(*order)).all()
