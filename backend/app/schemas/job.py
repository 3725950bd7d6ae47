"""Jobs: everything that runs long."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.enums import ErrorCode, JobAction, JobKind, JobState, ResourceType
from app.schemas.common import ResponseModel


class JobRead(ResponseModel):
    id: UUID
    kind: JobKind
    queue: str
    state: JobState
    resource_type: ResourceType | None
    resource_id: UUID | None
    attempt: int
    max_attempts: int
    requested: JobAction | None
    progress: float
    seq: int
    message: str | None
    eta_seconds: float | None
    error_code: ErrorCode | None
    error_message: str | None
    error_details: dict[str, Any] | None
    result: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime


class JobSummary(ResponseModel):
    """The running or latest job of a resource, embedded in it."""

    id: UUID
    kind: JobKind
    state: JobState
    requested: JobAction | None
    progress: float
    seq: int
    message: str | None
    eta_seconds: float | None
    error_code: ErrorCode | None
    error_message: str | None
