"""Queries on sweeps, and on the features that they compare with."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from app.db.models import Feature, SteeringSweep
from app.db.repositories.base import RowPage, paginate

N_CANDIDATES = 8


def get(session: Session, sweep_id: UUID) -> SteeringSweep | None:
    return session.get(SteeringSweep, sweep_id)


def list_page(
    session: Session, *, model_id: UUID | None, page: int, limit: int
) -> RowPage[SteeringSweep]:
    """Newest first, without their tables."""
    statement = select(SteeringSweep).options(defer(SteeringSweep.result))
    if model_id is not None:
        statement = statement.where(SteeringSweep.model_id == model_id)
    statement = statement.order_by(SteeringSweep.created_at.desc(), SteeringSweep.id)
    return paginate(session, statement, page, limit)


def find_matched(session: Session, feature: Feature, unwanted: Sequence[int]) -> Feature | None:
    """One of the features that fire about as often and as strongly, the same one every time.

    Distance is that of the logarithms of frequency and largest activation. Among the nearest few
    the feature's own index decides, so that features alike are not all compared with one another.
    """
    if not feature.activation_frequency or not feature.max_activation:
        return None
    rarity = func.abs(func.ln(Feature.activation_frequency / feature.activation_frequency))
    distance = rarity + func.abs(func.ln(Feature.max_activation / feature.max_activation))
    statement = (
        select(Feature)
        .where(Feature.training_id == feature.training_id, Feature.id.not_in(unwanted))
        .where(Feature.activation_frequency > 0, Feature.max_activation > 0)
        .order_by(distance, Feature.neuron_index)
        .limit(N_CANDIDATES)
    )
    candidates = session.scalars(statement).all()
    return candidates[feature.neuron_index % len(candidates)] if candidates else None
