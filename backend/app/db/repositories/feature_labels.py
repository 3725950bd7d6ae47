"""Which features a writer of labels is asked about."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.db.models import Feature


def unlabelled(
    session: Session,
    training_id: UUID,
    job_id: UUID,
    *,
    limit: int,
    only: Sequence[int] | None,
) -> list[int]:
    """Ids of the ``limit`` features that fire most, less those that the job has asked about.

    Args:
        session: Open session.
        training_id: Training of the features.
        job_id: The job; it notes itself on every feature that it has asked about.
        limit: Features taken in all, before those done are left out.
        only: Ids to choose from; None for all of the training.
    """
    asked = Feature.metadata_["label_writer"]["job_id"].as_string()
    wanted = select(Feature.id, asked.label("asked")).where(
        Feature.training_id == training_id, Feature.name.is_(None), Feature.n_fires > 0
    )
    if only is not None:
        wanted = wanted.where(Feature.id.in_(only))
    first = wanted.order_by(Feature.n_fires.desc(), Feature.id).limit(limit).subquery()
    statement = select(first.c.id).where(or_(first.c.asked.is_(None), first.c.asked != str(job_id)))
    return list(session.scalars(statement))
