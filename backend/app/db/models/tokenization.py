"""A dataset cut into a model's tokens."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Double, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.enums import TokenizationStatus
from app.db.base import Base, Timestamps, UuidKey, enum_column


class Tokenization(UuidKey, Timestamps, Base):
    """Tokens of one dataset by one model's tokenizer.

    The model is RESTRICT: dropping its tokenizations with it would leave their files behind.
    """

    __tablename__ = "tokenizations"
    __table_args__ = (
        Index("idx_tokenizations_dataset", "dataset_id"),
        Index("idx_tokenizations_model", "model_id"),
    )

    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="RESTRICT"))
    status: Mapped[TokenizationStatus] = mapped_column(enum_column(TokenizationStatus, "status"))
    progress: Mapped[float] = mapped_column(Double, default=0.0, server_default="0")
    n_tokens: Mapped[int | None] = mapped_column(BigInteger)
    n_documents: Mapped[int | None] = mapped_column(BigInteger)
    file_path: Mapped[str | None] = mapped_column(String(512))
    config: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", default=dict, server_default=text("'{}'::jsonb")
    )
    error_message: Mapped[str | None] = mapped_column(Text)
