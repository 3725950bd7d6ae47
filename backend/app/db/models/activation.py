"""Activation stores: what a model computed on a tokenised dataset at chosen hook points."""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Double, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.enums import ActivationStatus
from app.db.base import Base, Timestamps, UuidKey, enum_column


class Activation(UuidKey, Timestamps, Base):
    __tablename__ = "activations"
    __table_args__ = (
        Index("idx_activations_status", "status"),
        Index("idx_activations_model", "model_id"),
        Index("idx_activations_dataset", "dataset_id"),
        Index("idx_activations_tokenization", "tokenization_id"),
    )

    name: Mapped[str | None] = mapped_column(String(255))
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="RESTRICT"))
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    tokenization_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("tokenizations.id", ondelete="RESTRICT")
    )
    layers: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    hook_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    config: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))
    status: Mapped[ActivationStatus] = mapped_column(enum_column(ActivationStatus, "status"))
    progress: Mapped[float] = mapped_column(Double, default=0.0, server_default="0")
    n_tokens: Mapped[int | None] = mapped_column(BigInteger)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    file_path: Mapped[str | None] = mapped_column(String(512))
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", default=dict, server_default=text("'{}'::jsonb")
    )
    error_message: Mapped[str | None] = mapped_column(Text)
