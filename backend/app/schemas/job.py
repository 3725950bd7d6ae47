"""Jobs: everything that runs long."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from app.core.enums import ErrorCode, JobAction, JobKind, JobState, ResourceType
from app.schemas.common import ResponseModel
from app.schemas.estimate import JobEstimate, JobMeasured


class JobRead(ResponseModel):
    id: UUID
    kind: JobKind
    queue: str
    state: JobState
    resource_type: ResourceType | None
    resource_id: UUID | None
    workflow_id: UUID | None
    waits_for: UUID | None = Field(description="The job whose result this one needs first")
    retry_of: UUID | None = Field(description="The ended job that this one repeats")
    reason: str | None = Field(description="Why it is in its state: user, shutdown, disk full, …")
    attempt: int
    max_attempts: int
    requested: JobAction | None
    progress: float
    seq: int
    message: str | None
    prompt: str | None = Field(
        description="The beginning of the text that a steering job goes on from"
    )
    eta_seconds: float | None
    error_code: ErrorCode | None
    error_message: str | None
    error_details: dict[str, Any] | None
    result: dict[str, Any] | None
    estimate: JobEstimate | None = Field(description="What it was expected to take")
    measured: JobMeasured | None = Field(description="What it took, when it has ended")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime


class JobLog(ResponseModel):
    """The end of what a job's processes wrote."""

    lines: list[str]
    size_bytes: int
    truncated: bool = Field(description="Whether earlier lines were left out")


class JobSummary(ResponseModel):
    """The running or latest job of a resource, embedded in it."""

    estimate: JobEstimate | None
    measured: JobMeasured | None

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
