"""Jobs: the queue of record. Celery only carries (id, attempt) to a worker."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.enums import JobAction, JobKind, JobState, ResourceType
from app.db.base import Base, Timestamps, UuidKey, enum_column

SHOWN_CHARACTERS = 80


class Job(UuidKey, Timestamps, Base):
    """One unit of background work.

    ``attempt`` is the fencing token: every write of a runner names the attempt that it belongs
    to, so a runner that was given up for dead cannot touch its successor's row. Leases are in
    database time. A queued job with ``waits_for`` is handed to nobody until that job has given
    what it was to give. ``estimate`` is what it was started with, ``measured`` what it took.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("attempt >= 1 AND max_attempts >= 1", name="attempts"),
        CheckConstraint("progress >= 0 AND progress <= 100", name="progress"),
        Index("idx_jobs_created_at", text("created_at DESC")),
        Index(
            "idx_jobs_waits_for",
            "waits_for",
            postgresql_where=text("waits_for IS NOT NULL"),
        ),
        Index(
            "idx_jobs_workflow_id",
            "workflow_id",
            postgresql_where=text("workflow_id IS NOT NULL"),
        ),
        Index("idx_jobs_resource", "resource_type", "resource_id", text("created_at DESC")),
        Index(
            "idx_jobs_succeeded",
            "kind",
            text("finished_at DESC"),
            postgresql_where=text("state = 'succeeded'"),
        ),
        Index(
            "idx_jobs_unfinished",
            "state",
            "created_at",
            postgresql_where=text(
                "state IN ('queued', 'starting', 'running', 'paused', 'interrupted')"
            ),
        ),
    )

    kind: Mapped[JobKind] = mapped_column(enum_column(JobKind, "kind", length=40, constraint=False))
    queue: Mapped[str] = mapped_column(String(40))
    state: Mapped[JobState] = mapped_column(enum_column(JobState, "state"), default=JobState.QUEUED)
    reason: Mapped[str | None] = mapped_column(String(100))
    resource_type: Mapped[ResourceType | None] = mapped_column(
        enum_column(ResourceType, "resource_type")
    )
    resource_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'::jsonb")
    )
    workflow_id: Mapped[UUID | None] = mapped_column(ForeignKey("workflows.id"))
    waits_for: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id"))
    retry_of: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id"))
    attempt: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    max_attempts: Mapped[int] = mapped_column(Integer, default=3, server_default="3")
    lease_owner: Mapped[str | None] = mapped_column(String(255))
    lease_expires_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    requested: Mapped[JobAction | None] = mapped_column(enum_column(JobAction, "requested"))
    requested_at: Mapped[datetime | None]
    progress: Mapped[float] = mapped_column(Double, default=0.0, server_default="0")
    seq: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    message: Mapped[str | None] = mapped_column(Text)
    eta_seconds: Mapped[float | None] = mapped_column(Double)
    error_code: Mapped[str | None] = mapped_column(String(60))
    error_message: Mapped[str | None] = mapped_column(Text)
    error_details: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    estimate: Mapped[dict[str, Any] | None]
    measured: Mapped[dict[str, Any] | None]
    dispatched_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def prompt(self) -> str | None:
        """The beginning of the (first) text that a steering job goes on from, on one line."""
        config, prompts = self.payload.get("config"), self.payload.get("prompts")
        found = prompts[0] if prompts else isinstance(config, dict) and config.get("prompt")
        line = " ".join(found.split()) if isinstance(found, str) else ""
        is_long = len(line) > SHOWN_CHARACTERS
        return (f"{line[:SHOWN_CHARACTERS].rstrip()}…" if is_long else line) or None
