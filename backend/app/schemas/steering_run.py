"""Saved steering: presets, runs, what a replay found."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AliasChoices, Field

from app.ml.configs import SteeringConfig
from app.schemas.common import MAX_ID, RequestModel, ResponseModel
from app.schemas.from_dataclass import request_model_from
from app.schemas.placed import PLACE_NAMES, HookType, PlacedRequest
from app.schemas.steering import (
    FORCE_HELP,
    MAX_FEATURES,
    CoefficientUnit,
    ResolvedFeature,
    SteeringCondition,
    SteeringMethod,
    SteeringMode,
    SteeringResult,
)

ExportFormat = Literal["json", "safetensors", "gguf", "python"]


class PresetFeature(PlacedRequest):
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
    hook_type: HookType | None = Field(
        None,
        description=f"Place in the block; by default the one that the SAE writes. {PLACE_NAMES}",
    )


# The prompt is what a preset is tried on; the cache and the pieces of the prompt change no text.
_PresetSettings = request_model_from(
    SteeringConfig,
    "PresetSettingsOfText",
    exclude=frozenset({"prompt", "temperature", "mode", "use_cache", "prefill_chunk"}),
)


class PresetSettings(_PresetSettings):  # type: ignore[misc, valid-type]
    """What else a generation says, by its names there."""

    force: bool = Field(False, description=FORCE_HELP)


class PresetWrite(RequestModel):
    """A generation without its prompt, under a name; it belongs to its features' training."""

    training_id: UUID
    name: str = Field(min_length=1, max_length=255)
    description: str | None = Field(None, max_length=10_000)
    features: list[PresetFeature] = Field(min_length=1, max_length=MAX_FEATURES)
    intervention_layer: int = Field(ge=0, le=1023)
    temperature: float = Field(1.0, ge=0, le=5, allow_inf_nan=False)
    condition: SteeringCondition | None = Field(
        None, description="Its feature may be of any training of the same model"
    )
    mode: SteeringMode = "delta"
    settings: PresetSettings = Field(
        default_factory=PresetSettings,
        description="All other settings of a generation; what is left out is as there by default",
    )
    is_favorite: bool = False


class PresetRead(ResponseModel):
    id: UUID
    training_id: UUID
    name: str
    description: str | None
    features: list[PresetFeature]
    intervention_layer: int
    temperature: float
    condition: SteeringCondition | None
    mode: SteeringMode
    settings: PresetSettings
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

    branch: Literal["unsteered", "steered", "reconstruction"]
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
    identical: bool = Field(
        description="Whether all texts are the same, token for token; those of a cancelled run as "
        "far as they came"
    )
    differences: list[TextDifference]
    environment_changes: list[EnvironmentChange] = Field(
        description="What a difference may come from: device, number format, versions, files"
    )
    largest_logprob_difference: float | None = Field(
        description="Over the tokens that both have in common, nats"
    )
