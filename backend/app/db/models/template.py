"""Saved settings: training templates, extraction templates, steering presets."""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Double, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.enums import EncoderType
from app.db.base import Base, Timestamps, UuidKey, enum_column


class TrainingTemplate(UuidKey, Timestamps, Base):
    """A template without a model fits every model."""

    __tablename__ = "training_templates"
    __table_args__ = (
        Index("idx_templates_favorite", "is_favorite"),
        Index("uq_training_templates_name", text("lower(name)"), unique=True),
    )

    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    model_id: Mapped[UUID | None] = mapped_column(ForeignKey("models.id", ondelete="SET NULL"))
    dataset_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="SET NULL"))
    encoder_type: Mapped[EncoderType] = mapped_column(enum_column(EncoderType, "encoder_type"))
    hyperparameters: Mapped[dict[str, Any]]
    is_favorite: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class ExtractionTemplate(UuidKey, Timestamps, Base):
    __tablename__ = "extraction_templates"
    __table_args__ = (Index("uq_extraction_templates_name", text("lower(name)"), unique=True),)

    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    layers: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    hook_types: Mapped[list[str] | None] = mapped_column(ARRAY(String(50)))
    max_samples: Mapped[int | None] = mapped_column(Integer)
    top_k_examples: Mapped[int | None] = mapped_column(Integer)
    is_favorite: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class SteeringPreset(UuidKey, Timestamps, Base):
    __tablename__ = "steering_presets"
    __table_args__ = (
        Index("idx_presets_training", "training_id"),
        Index("idx_presets_favorite", "is_favorite"),
    )

    training_id: Mapped[UUID] = mapped_column(ForeignKey("trainings.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    features: Mapped[list[Any]]
    intervention_layer: Mapped[int] = mapped_column(Integer)
    temperature: Mapped[float] = mapped_column(Double, default=1.0, server_default="1.0")
    condition: Mapped[dict[str, Any] | None]
    mode: Mapped[str] = mapped_column(String(20), default="delta", server_default="delta")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    is_favorite: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
