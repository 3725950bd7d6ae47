"""Saved steering: presets, runs, what a replay found."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AliasChoices, Field

from app.schemas.common import MAX_ID, RequestModel, ResponseModel
from app.schemas.steering import (
    MAX_FEATURES,
    CoefficientUnit,
    ResolvedFeature,
    SteeringMethod,
    SteeringResult,
)

ExportFormat = Literal["json", "safetensors", "gguf", "python"]


class PresetFeature(RequestModel):
    feature_id: int = Field(
        ge=1,
        le=MAX_ID,
        validation_alias=AliasChoices("feature_id", "id"),
        description="Feature id; `id`, as a generation calls it, is understood too",
    )
    coefficient: float = Field(ge=-1000, le=1000, allow_inf_nan=False)
    unit: CoefficientUnit = "max_multiple"
    method: SteeringMethod = "add"
    only_active: bool = False
    layer: int | None = Field(None, ge=0)


class PresetWrite(RequestModel):
    """Features with their strengths under a name; it belongs to their training."""

    training_id: UUID
    name: str = Field(min_length=1, max_length=255)
    description: str | None = Field(None, max_length=10_000)
    features: list[PresetFeature] = Field(min_length=1, max_length=MAX_FEATURES)
    intervention_layer: int = Field(ge=0, le=1023)
    temperature: float = Field(1.0, ge=0, le=5, allow_inf_nan=False)
    is_favorite: bool = False


class PresetRead(ResponseModel):
    id: UUID
    training_id: UUID
    name: str
    description: str | None
    features: list[PresetFeature]
    intervention_layer: int
    temperature: float
    is_favorite: bool
    created_at: datetime
    updated_at: datetime


class SteeringRunRow(ResponseModel):
    id: UUID
    model_id: UUID
    prompt: str
    features: list[ResolvedFeature]
    unsteered_text: str
    steered_text: str
    fingerprint: str = Field(description="Equal for runs that must give the same texts")
    created_at: datetime


class SteeringRunRead(SteeringRunRow):
    settings: dict[str, Any]
    result: SteeringResult


class TextDifference(ResponseModel):
    """The first token in which a replay differs; None where one of the texts has ended."""

    branch: Literal["unsteered", "steered"]
    index: int
    then: str | None
    now: str | None


class EnvironmentChange(ResponseModel):
    name: str
    then: str
    now: str


class SteeringReplay(ResponseModel):
    run_id: UUID
    replay_id: UUID = Field(description="The new run, saved like any other")
    identical: bool = Field(description="Whether both texts are the same, token for token")
    differences: list[TextDifference]
    environment_changes: list[EnvironmentChange] = Field(
        description="What a difference may come from: device, number format, versions, files"
    )
    largest_logprob_difference: float | None = Field(
        description="Over the tokens that both have in common, nats"
    )
