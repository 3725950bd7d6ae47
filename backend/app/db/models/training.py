"""Trainings of sparse autoencoders, their metric series and their checkpoints."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.enums import EncoderType, SaeSource, TrainingStatus
from app.db.base import Base, CreatedAt, Timestamps, UuidKey, enum_column


class Training(UuidKey, Timestamps, Base):
    """One dictionary: a run, or an import, which has a checkpoint but no steps.

    It outlives the activation store that it read (SET NULL): stores are large. An imported one
    may know no dataset; ``origin`` says what it was made of and how it was proved. One of a grid
    names the run that it shares with the others, until it gets a run of its own.
    """

    __tablename__ = "trainings"
    __table_args__ = (
        Index("idx_trainings_status", "status"),
        Index("idx_trainings_model", "model_id"),
        Index("idx_trainings_dataset", "dataset_id"),
        Index("idx_trainings_activation", "activation_id"),
        Index("idx_trainings_shared_run", "shared_run_id"),
        Index("idx_trainings_created_at", text("created_at DESC")),
    )

    name: Mapped[str | None] = mapped_column(String(255))
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="RESTRICT"))
    dataset_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    activation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("activations.id", ondelete="SET NULL")
    )
    shared_run_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    layer: Mapped[int] = mapped_column(Integer)
    hook_type: Mapped[str] = mapped_column(String(50))
    encoder_type: Mapped[EncoderType] = mapped_column(enum_column(EncoderType, "encoder_type"))
    hyperparameters: Mapped[dict[str, Any]]
    status: Mapped[TrainingStatus] = mapped_column(enum_column(TrainingStatus, "status"))
    current_step: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    total_steps: Mapped[int] = mapped_column(Integer)
    progress: Mapped[float] = mapped_column(Double, default=0.0, server_default="0")
    source: Mapped[SaeSource] = mapped_column(
        enum_column(SaeSource, "source"), default=SaeSource.TRAINED, server_default="trained"
    )
    origin: Mapped[dict[str, Any] | None]
    evaluation: Mapped[dict[str, Any] | None]
    error_message: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class TrainingMetric(Base):
    """One logged step. Unique per step, so that a redelivered batch of rows is harmless."""

    __tablename__ = "training_metrics"
    __table_args__ = (
        UniqueConstraint("training_id", "step", name="idx_metrics_training_step"),
        Index("idx_metrics_timestamp", "timestamp"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    training_id: Mapped[UUID] = mapped_column(ForeignKey("trainings.id", ondelete="CASCADE"))
    step: Mapped[int] = mapped_column(Integer)
    loss: Mapped[float | None] = mapped_column(Double)
    sparsity: Mapped[float | None] = mapped_column(Double)
    reconstruction_error: Mapped[float | None] = mapped_column(Double)
    dead_neurons: Mapped[int | None] = mapped_column(Integer)
    explained_variance: Mapped[float | None] = mapped_column(Double)
    gpu_utilization: Mapped[float | None] = mapped_column(Double)
    memory_used_bytes: Mapped[int | None] = mapped_column(BigInteger)
    learning_rate: Mapped[float | None] = mapped_column(Double)
    grad_norm: Mapped[float | None] = mapped_column(Double)
    tokens_per_second: Mapped[float | None] = mapped_column(Double)
    floor_share: Mapped[float | None] = mapped_column(Double)
    timestamp: Mapped[datetime] = mapped_column(server_default=func.now())


class Checkpoint(UuidKey, CreatedAt, Base):
    """A committed checkpoint folder; the latest one is the one with the highest step."""

    __tablename__ = "checkpoints"
    __table_args__ = (
        Index("idx_checkpoints_training", "training_id"),
        UniqueConstraint("training_id", "step", name="idx_checkpoints_step"),
    )

    training_id: Mapped[UUID] = mapped_column(ForeignKey("trainings.id", ondelete="CASCADE"))
    step: Mapped[int] = mapped_column(Integer)
    loss: Mapped[float | None] = mapped_column(Double)
    file_path: Mapped[str] = mapped_column(String(512))
    file_size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", default=dict, server_default=text("'{}'::jsonb")
    )
