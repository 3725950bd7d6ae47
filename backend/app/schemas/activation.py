"""Stores of extracted activations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from app.core.enums import ActivationStatus
from app.ml.configs import ExtractionConfig
from app.schemas.common import ResponseModel
from app.schemas.from_dataclass import request_model_from
from app.schemas.job import JobSummary

_ExtractionSettings = request_model_from(ExtractionConfig, "ExtractionSettings")


class ActivationExtract(_ExtractionSettings):  # type: ignore[misc, valid-type]
    """Run a model over a tokenised dataset and keep the activations of some hook points."""

    model_id: UUID
    dataset_id: UUID
    tokenization_id: UUID | None = Field(
        None,
        description="By default the latest tokenisation of the dataset for the model; without any "
        "the extraction tokenises first",
    )


class ActivationRead(ResponseModel):
    id: UUID
    model_id: UUID
    dataset_id: UUID
    tokenization_id: UUID | None
    model_name: str
    dataset_name: str
    layers: list[int]
    hook_types: list[str]
    config: dict[str, Any]
    status: ActivationStatus
    progress: float | None
    n_tokens: int | None
    size_bytes: int | None
    error_message: str | None
    metadata: dict[str, Any] | None
    created_at: datetime
    job: JobSummary | None
