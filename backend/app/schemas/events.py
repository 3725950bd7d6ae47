"""Socket.IO events. The database is the truth; an event is a hint with absolute values.

A client drops an event whose ``seq`` is not greater than the last one it applied for that job,
and refetches over REST after a reconnect.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.core.enums import ErrorCode, TrainingStatus
from app.schemas.job import JobRead


def _now() -> datetime:
    return datetime.now(UTC)


class Event(BaseModel):
    """Base of all events; ``rooms`` says who hears it, ``heard_in`` the same for the document."""

    name: ClassVar[str]
    heard_in: ClassVar[tuple[str, ...]]
    seq: int
    timestamp: datetime = Field(default_factory=_now)

    def rooms(self) -> list[str]:
        raise NotImplementedError

    def place(self) -> int | None:
        """Where it stands in a stream that is kept for whoever missed a part; None: in none."""
        return None


class JobUpdated(Event):
    """A job changed its state, its progress or its message; carries the whole job."""

    name: ClassVar[str] = "job.updated"
    heard_in: ClassVar[tuple[str, ...]] = ("job:{id}", "jobs")
    type: Literal["job.updated"] = "job.updated"
    data: JobRead

    def rooms(self) -> list[str]:
        return [f"job:{self.data.id}", "jobs"]


class TrainingProgressData(BaseModel):
    training_id: UUID
    status: TrainingStatus
    step: int
    total_steps: int
    progress: float
    metrics: dict[str, float | None]
    points: list[dict[str, Any]] = Field(
        description="Metric points since the last event, for charts"
    )
    estimated_remaining_seconds: float | None


class TrainingProgress(Event):
    """Where a training stands: step, newest figures, and points for the charts."""

    name: ClassVar[str] = "training.progress"
    heard_in: ClassVar[tuple[str, ...]] = ("training:{training_id}",)
    type: Literal["training.progress"] = "training.progress"
    data: TrainingProgressData

    def rooms(self) -> list[str]:
        return [f"training:{self.data.training_id}"]


class TrainingCompletedData(BaseModel):
    training_id: UUID
    final_loss: float | None
    total_time_seconds: float | None


class TrainingCompleted(Event):
    """A training has come to its end."""

    name: ClassVar[str] = "training.completed"
    heard_in: ClassVar[tuple[str, ...]] = ("training:{training_id}",)
    type: Literal["training.completed"] = "training.completed"
    data: TrainingCompletedData

    def rooms(self) -> list[str]:
        return [f"training:{self.data.training_id}"]


class TrainingErrorData(BaseModel):
    training_id: UUID
    code: ErrorCode
    message: str


class TrainingError(Event):
    """A training failed; the code is the job's."""

    name: ClassVar[str] = "training.error"
    heard_in: ClassVar[tuple[str, ...]] = ("training:{training_id}",)
    type: Literal["training.error"] = "training.error"
    error: TrainingErrorData

    def rooms(self) -> list[str]:
        return [f"training:{self.error.training_id}"]


class ExtractionProgressData(BaseModel):
    activation_id: UUID
    progress: float
    n_tokens: int
    tokens_per_second: float | None
    estimated_remaining_seconds: float | None


class ExtractionProgress(Event):
    """How far an activation store is filled."""

    name: ClassVar[str] = "extraction.progress"
    heard_in: ClassVar[tuple[str, ...]] = ("extraction:{activation_id}",)
    type: Literal["extraction.progress"] = "extraction.progress"
    data: ExtractionProgressData

    def rooms(self) -> list[str]:
        return [f"extraction:{self.data.activation_id}"]


class SteeringToken(BaseModel):
    row: int
    branch: str = Field(description="unsteered, steered or reconstruction")
    index: int
    token_id: int
    text: str
    logprob: float
    base_logprob: float
    kl: float
    read_activations: list[float] = Field(
        description="Of each feature at the token before this one, which was read to choose it, in "
        "the unsteered model"
    )
    read_achieved: list[float] = Field(description="The same in the model that writes the text")


class SteeringTokensData(BaseModel):
    job_id: UUID
    tokens: list[SteeringToken]


class SteeringTokens(Event):
    """What one step added to the texts, at one ``index``."""

    name: ClassVar[str] = "steering.tokens"
    heard_in: ClassVar[tuple[str, ...]] = ("job:{job_id}",)
    type: Literal["steering.tokens"] = "steering.tokens"
    data: SteeringTokensData

    def rooms(self) -> list[str]:
        return [f"job:{self.data.job_id}"]

    def place(self) -> int:
        return self.data.tokens[0].index


class SteeringPromptToken(BaseModel):
    token_id: int
    text: str
    steered: bool = Field(
        description="Chosen by the settings; with a condition the answer says which met it"
    )


class SteeringStartedData(BaseModel):
    job_id: UUID
    prompt_tokens: list[SteeringPromptToken]


class SteeringStarted(Event):
    """The prompt as the model reads it, before the first token."""

    name: ClassVar[str] = "steering.started"
    heard_in: ClassVar[tuple[str, ...]] = ("job:{job_id}",)
    type: Literal["steering.started"] = "steering.started"
    data: SteeringStartedData

    def rooms(self) -> list[str]:
        return [f"job:{self.data.job_id}"]

    def place(self) -> int:
        return -1


EVENTS: tuple[type[Event], ...] = (
    JobUpdated,
    TrainingProgress,
    TrainingCompleted,
    TrainingError,
    ExtractionProgress,
    SteeringStarted,
    SteeringTokens,
)
