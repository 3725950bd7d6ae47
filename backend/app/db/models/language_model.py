"""Language models (the class is not called Model: SQLAlchemy and PyTorch own that word)."""

from typing import Any

from sqlalchemy import BigInteger, Double, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.enums import ModelStatus, Quantization
from app.db.base import Base, Timestamps, UuidKey, enum_column


class LanguageModel(UuidKey, Timestamps, Base):
    __tablename__ = "models"
    __table_args__ = (
        Index("idx_models_status", "status"),
        Index("idx_models_architecture", "architecture"),
        Index("idx_models_created_at", text("created_at DESC")),
    )

    name: Mapped[str] = mapped_column(String(255))
    repo_id: Mapped[str | None] = mapped_column(String(255))
    architecture: Mapped[str | None] = mapped_column(String(100))
    params_count: Mapped[int | None] = mapped_column(BigInteger)
    quantization: Mapped[Quantization | None] = mapped_column(
        enum_column(Quantization, "quantization")
    )
    memory_req_bytes: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[ModelStatus] = mapped_column(enum_column(ModelStatus, "status"))
    progress: Mapped[float | None] = mapped_column(Double)
    error_message: Mapped[str | None] = mapped_column(Text)
    file_path: Mapped[str | None] = mapped_column(String(512))
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", default=dict, server_default=text("'{}'::jsonb")
    )
