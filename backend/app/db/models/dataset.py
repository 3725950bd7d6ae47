"""Text corpora."""

from typing import Any

from sqlalchemy import BigInteger, Double, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.enums import DatasetSource, DatasetStatus
from app.db.base import Base, Timestamps, UuidKey, enum_column


class Dataset(UuidKey, Timestamps, Base):
    __tablename__ = "datasets"
    __table_args__ = (
        Index("idx_datasets_status", "status"),
        Index("idx_datasets_source", "source"),
        Index("idx_datasets_created_at", text("created_at DESC")),
    )

    name: Mapped[str] = mapped_column(String(255))
    source: Mapped[DatasetSource] = mapped_column(enum_column(DatasetSource, "source"))
    repo_id: Mapped[str | None] = mapped_column(String(255))
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[DatasetStatus] = mapped_column(enum_column(DatasetStatus, "status"))
    progress: Mapped[float | None] = mapped_column(Double)
    error_message: Mapped[str | None] = mapped_column(Text)
    file_path: Mapped[str | None] = mapped_column(String(512))
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", default=dict, server_default=text("'{}'::jsonb")
    )
