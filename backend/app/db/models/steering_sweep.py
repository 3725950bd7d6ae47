"""Sweeps over steering strengths: what was asked, and the table as it grows."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Timestamps, UuidKey


class SteeringSweep(UuidKey, Timestamps, Base):
    """``id`` is that of its job. ``result`` is written after every prompt, so that what was
    finished outlives a cancelled or lost job."""

    __tablename__ = "steering_sweeps"
    __table_args__ = (
        Index("idx_steering_sweeps_created_at", text("created_at DESC")),
        Index("idx_steering_sweeps_model", "model_id"),
    )

    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    payload: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any] | None]
