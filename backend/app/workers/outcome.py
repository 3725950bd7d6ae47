"""How a child tells its supervisor what became of the job: one small file, written whole."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from app.core.config import Settings
from app.core.enums import ErrorCode
from app.core.errors import AppError


@dataclass(frozen=True)
class Failure:
    code: ErrorCode
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, error: AppError) -> "Failure":
        return cls(error.code, error.message, error.details)

    def as_error(self) -> "JobFailed":
        return JobFailed(self)


class JobFailed(AppError):
    """A failure that happened in another process."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, details=failure.details)
        self.code = ErrorCode(failure.code)


@dataclass(frozen=True)
class Outcome:
    """What a task process reports when it ends.

    Attributes:
        state: ``succeeded``, ``paused``, ``stopped``, ``cancelled``, ``failed`` or
            ``interrupted`` (something around the task went away; run it again).
        result: JSON of a success.
        failure: What failed.
        by_shutdown: The task was paused because the process was told to go.
        measured: What the process took; None when it could not say.
    """

    state: str
    result: dict[str, Any] | None = None
    failure: Failure | None = None
    by_shutdown: bool = False
    measured: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Outcome":
        failure = data.get("failure")
        return cls(
            state=data["state"],
            result=data.get("result"),
            failure=Failure(**failure | {"code": ErrorCode(failure["code"])}) if failure else None,
            by_shutdown=bool(data.get("by_shutdown")),
            measured=data.get("measured"),
        )


def outcome_path(settings: Settings, job_id: UUID, attempt: int) -> Path:
    return settings.run_dir / "jobs" / f"{job_id}-{attempt}.json"


def write_outcome(path: Path, outcome: Outcome) -> None:
    """Write and rename, so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(outcome.to_json()))
    os.replace(temporary, path)  # noqa: PTH105


def take_outcome(path: Path) -> Outcome | None:
    """Read and remove; None when the process ended without a word."""
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    path.unlink()
    return Outcome.from_json(data)
