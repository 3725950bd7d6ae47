"""Queries on templates."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.db.models import ExtractionTemplate


def get_extraction_template(session: Session, template_id: UUID) -> ExtractionTemplate | None:
    return session.get(ExtractionTemplate, template_id)
