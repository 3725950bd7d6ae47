"""Steering runs: everything that is needed to repeat one, and what came of it."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt, UuidKey


class SteeringRun(UuidKey, CreatedAt, Base):
    """``id`` is that of its job. ``fingerprint`` is the same for runs that must be alike.

    ``facts`` holds what a program outside needs to know of the model, ``directions`` the features'
    decoder rows as safetensors, so that a run outlives its dictionary.
    """

    __tablename__ = "steering_runs"
    __table_args__ = (
        Index("idx_steering_runs_created_at", text("created_at DESC")),
        Index("idx_steering_runs_model", "model_id"),
        Index("idx_steering_runs_fingerprint", "fingerprint"),
    )

    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]]
    environment: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    directions: Mapped[bytes] = mapped_column(LargeBinary)
