"""Workflows: one request that makes a store, a training, its features and its figures."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from app.core.enums import EncoderType, ErrorCode, JobState
from app.ml.configs import DiscoveryConfig, ExtractionConfig
from app.schemas.common import RequestModel, ResponseModel
from app.schemas.from_dataclass import request_model_from
from app.schemas.job import JobRead
from app.schemas.placed import PlacedRequest
from app.schemas.training import Hyperparameters

ExtractionStep = request_model_from(ExtractionConfig, "ExtractionStep")
DiscoveryStep = request_model_from(DiscoveryConfig, "DiscoveryStep")


class TrainingStep(PlacedRequest):
    """As ``TrainingCreate``, on the store of the workflow."""

    layer: int | None = Field(None, ge=0, description="By default the store's only layer")
    hook_type: str | None = Field(None, description="Place that is read; residual by default")
    name: str | None = Field(None, min_length=1, max_length=255)
    encoder_type: EncoderType = EncoderType.SPARSE
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters)  # type: ignore[valid-type]


class WorkflowCreate(RequestModel):
    """Steps that run one after the other; what is left out is not done."""

    name: str | None = Field(None, min_length=1, max_length=255)
    model_id: UUID
    dataset_id: UUID
    activation_id: UUID | None = Field(None, description="A store that is there already")
    extract: ExtractionStep | None = Field(None, description="Or how to make one")  # type: ignore[valid-type]
    train: TrainingStep
    discover: DiscoveryStep | None = Field(None, description="How to find its features")  # type: ignore[valid-type]
    evaluate: bool = Field(True, description="Measure it on held-out documents at the end")

    @model_validator(mode="after")
    def _one_store(self) -> Self:
        if (self.extract is None) == (self.activation_id is None):
            raise ValueError("give either activation_id or extract")
        return self


class WorkflowRead(ResponseModel):
    """``state`` is that of the steps together; ``error_*`` are those of the step that ended it."""

    id: UUID
    name: str
    state: JobState
    progress: float = Field(description="Mean of the steps, in percent")
    error_code: ErrorCode | None
    error_message: str | None
    steps: list[JobRead] = Field(description="In their order; a repeated one in its newest form")
    created_at: datetime
