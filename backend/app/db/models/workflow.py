"""Workflows: a name for jobs that follow one another. Their state is that of their jobs."""

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt, UuidKey


class Workflow(UuidKey, CreatedAt, Base):
    """One request that made several jobs; nothing about its progress is kept twice."""

    __tablename__ = "workflows"
    __table_args__ = (Index("idx_workflows_created_at", text("created_at DESC")),)

    name: Mapped[str] = mapped_column(String(255))
