"""Trainings of sparse autoencoders, their metrics and checkpoints."""

# Hyperparameters is a class that was made from the core's settings.
# mypy: disable-error-code="valid-type"

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from app.core.enums import EncoderType, SaeSource, TrainingStatus
from app.ml.configs import METRIC_DEFINITIONS, TrainingHyperparameters
from app.schemas.common import ResponseModel
from app.schemas.from_dataclass import request_model_from
from app.schemas.job import JobSummary
from app.schemas.placed import PLACE_NAMES, PlacedRequest

MOST_VARIANTS = 16
Hyperparameters = request_model_from(TrainingHyperparameters, "Hyperparameters")


class TrainingCreate(PlacedRequest):
    """Train a dictionary on an activation store, or on a dataset whose latest fitting one is taken.

    A transcoder reads `mlp_input` and writes `mlp` of the same layer; one store must hold both.
    """

    model_id: UUID
    dataset_id: UUID
    activation_id: UUID | None = Field(
        None, description="Activation store; by default the latest ready one of model and dataset"
    )
    layer: int | None = Field(None, ge=0, description="By default the store's only layer")
    hook_type: str | None = Field(
        None,
        description="Place that is read: residual by default, mlp_input for a transcoder. "
        f"{PLACE_NAMES}",
    )
    name: str | None = Field(None, min_length=1, max_length=255)
    encoder_type: EncoderType = EncoderType.SPARSE
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters)


class TrainingCreated(ResponseModel):
    training_id: UUID
    status: TrainingStatus
    job_id: UUID


class GridVariant(PlacedRequest):
    """What one dictionary of a grid does differently; what is left out is as in the request."""

    name: str | None = Field(None, min_length=1, max_length=255)
    layer: int | None = Field(None, ge=0)
    hook_type: str | None = None
    encoder_type: EncoderType | None = None
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters)


class TrainingGridCreate(TrainingCreate):
    """Train several dictionaries on the same batches: other k, seeds, layers or types.

    The activations are read once for all of them. They share batch size, order of the tokens and
    one run: pausing, stopping or cancelling one does that to all. Afterwards each is a training
    like any other.
    """

    variants: list[GridVariant] = Field(min_length=2, max_length=MOST_VARIANTS)


class TrainingGridCreated(ResponseModel):
    job_id: UUID = Field(description="The run that they share")
    trainings: list[TrainingCreated] = Field(description="In the order of the variants")


class FigureInterval(ResponseModel):
    """Percentile interval over resampled held-out documents."""

    low: float
    high: float
    level: float = Field(description="Share of the resamples between the two, e.g. 0.95")


class MeasuredFigure(ResponseModel):
    """One held-out figure with what it means."""

    key: str
    label: str
    value: float
    unit: str
    definition: str
    n_tokens: int
    n_documents: int | None = Field(description="Held-out documents that the tokens come from")
    interval: FigureInterval | None = Field(
        description="Where a figure can have one and at least ten documents stand behind it"
    )
    verdict: Literal["good", "fair", "poor"] | None = Field(
        description="By a rule of thumb for small models; figures fall with depth and width"
    )
    guide: str | None = Field(description="The bounds behind the verdict")

    @model_validator(mode="before")
    @classmethod
    def _accept_earlier(cls, data: Any) -> Any:
        """Evaluations stored by earlier versions have no spread and no verdict."""
        if not isinstance(data, dict):
            return data
        return dict.fromkeys(("n_documents", "interval", "verdict", "guide")) | data


class TrainingEvaluation(ResponseModel):
    figures: list[MeasuredFigure]
    raw: dict[str, Any]


class MetricPoint(ResponseModel):
    step: int
    loss: float | None
    sparsity: float | None = Field(description="Mean L0 of the batch")
    reconstruction_error: float | None
    dead_neurons: int | None
    explained_variance: float | None
    learning_rate: float | None
    grad_norm: float | None
    tokens_per_second: float | None
    floor_share: float | None = Field(description=METRIC_DEFINITIONS["floor_share"])
    gpu_utilization: float | None = Field(description="Per cent; empty where no GPU tells it")
    memory_used_bytes: int | None
    timestamp: datetime


class TrainingRead(ResponseModel):
    id: UUID
    name: str
    model_id: UUID
    dataset_id: UUID | None = Field(description="Empty for one imported without a dataset")
    activation_id: UUID | None
    model_name: str
    dataset_name: str | None
    source: SaeSource = Field(description="Trained here, or imported")
    layer: int
    hook_type: str
    target_hook_type: str = Field(description="Place that is written; the one read in an SAE")
    encoder_type: EncoderType
    hyperparameters: dict[str, Any]
    n_latents: int = Field(description="0 until an import has read its files")
    status: TrainingStatus
    current_step: int
    total_steps: int
    progress: float
    error_message: str | None
    latest_metrics: MetricPoint | None
    evaluation: TrainingEvaluation | None
    n_checkpoints: int
    n_features: int = Field(description="Features found by discovery; 0 before it")
    started_at: datetime | None
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    job: JobSummary | None = Field(description="The running or latest run of the training")
    shares_run: bool = Field(
        description="Whether that run trains other dictionaries too: pausing it pauses all of them"
    )
    discovery_job: JobSummary | None = Field(
        description="The running or latest discovery of its features"
    )


class CheckpointRead(ResponseModel):
    id: UUID
    training_id: UUID
    step: int
    loss: float | None
    file_path: str
    file_size_bytes: int | None
    reason: str | None = Field(description="Why it was saved: interval, request, stop, final, …")
    l0: float | None = Field(description="Active latents per token of its last batch")
    explained_variance: float | None = Field(
        description="Of up to 8,192 held-out tokens, or as quality_split says"
    )
    quality_split: Literal["heldout", "training"] | None
    is_best: bool = Field(description="Whether no other checkpoint explains more")
    created_at: datetime
