"""Features of a training and the text windows in which they fire."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt, Timestamps

N_PARTITIONS = 8


class Feature(Timestamps, Base):
    __tablename__ = "features"
    __table_args__ = (
        UniqueConstraint("training_id", "neuron_index", name="idx_features_training"),
        Index("idx_features_activation", "training_id", text("activation_frequency DESC")),
        Index("idx_features_interpretability", "training_id", text("interpretability_score DESC")),
        Index("idx_features_favorite", "training_id", postgresql_where=text("is_favorite")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    training_id: Mapped[UUID] = mapped_column(ForeignKey("trainings.id", ondelete="CASCADE"))
    neuron_index: Mapped[int] = mapped_column(Integer)
    layer: Mapped[int | None] = mapped_column(Integer)
    name: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    activation_frequency: Mapped[float | None] = mapped_column(Double)
    interpretability_score: Mapped[float | None] = mapped_column(Double)
    max_activation: Mapped[float | None] = mapped_column(Double)
    mean_activation: Mapped[float | None] = mapped_column(Double)
    n_fires: Mapped[int | None] = mapped_column(BigInteger)
    is_favorite: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", default=dict, server_default=text("'{}'::jsonb")
    )


class FeatureActivation(CreatedAt, Base):
    """A window of text in which a feature fires; hash-partitioned by feature, loaded by COPY."""

    __tablename__ = "feature_activations"
    __table_args__ = (
        PrimaryKeyConstraint("id", "feature_id"),
        Index("idx_activations_feature", "feature_id", "rank"),
        Index("idx_activations_max", text("max_activation DESC")),
        {"postgresql_partition_by": "HASH (feature_id)"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity())
    feature_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("features.id", ondelete="CASCADE")
    )
    rank: Mapped[int] = mapped_column(Integer)
    split: Mapped[str] = mapped_column(String(20))
    document: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    sample_text: Mapped[str | None] = mapped_column(Text)
    token_ids: Mapped[list[Any]] = mapped_column(JSONB)
    tokens: Mapped[list[Any]] = mapped_column(JSONB)
    activations: Mapped[list[Any]] = mapped_column(JSONB)
    max_activation: Mapped[float] = mapped_column(Double)
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", default=dict, server_default=text("'{}'::jsonb")
    )
