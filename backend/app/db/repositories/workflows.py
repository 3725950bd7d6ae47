"""Queries on workflows."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import Workflow
from app.db.repositories.base import RowPage, paginate


def get(session: Session, workflow_id: UUID) -> Workflow | None:
    return session.get(Workflow, workflow_id)


def list_page(session: Session, *, page: int = 1, limit: int = 50) -> RowPage[Workflow]:
    """Newest first."""
    statement = select(Workflow).order_by(Workflow.created_at.desc(), Workflow.id)
    return paginate(session, statement, page, limit)
