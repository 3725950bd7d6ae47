"""A sweep over steering strengths: what is tried, and the table that comes of it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.core.enums import JobState
from app.ml.configs import SteeringConfig
from app.ml.configs.sweep import CONTROLS, ControlName, SweepConfig
from app.schemas.common import MAX_ID, ResponseModel
from app.schemas.from_dataclass import request_model_from
from app.schemas.placed import HookType, PlacedRequest
from app.schemas.steering import (
    FORCE_HELP,
    CoefficientUnit,
    SteeredFeature,
    SteeringCondition,
    SteeringEnvironment,
    SteeringMethod,
)

MAX_PROMPTS = 16
MAX_SWEPT = 8
Prompt = Annotated[str, Field(min_length=1, max_length=20_000)]
SweepUnit = Literal["max_multiple", "activation", "norm_fraction"]
SweepMethod = Literal["add", "clamp", "floor", "scale", "project"]

_TextSettings = request_model_from(
    SteeringConfig, "SweepText", exclude=frozenset({"prompt", "mode"})
)
_Plan = request_model_from(SweepConfig, "SweepPlan", exclude=frozenset({"controls"}))


class SweepFeature(PlacedRequest):
    id: int = Field(ge=1, le=MAX_ID, description="Feature id, as the feature list gives it")
    unit: SweepUnit = Field("max_multiple", description="Of the strengths, as in generate")
    method: SweepMethod = Field("add", description="As in generate")
    only_active: bool = Field(False, description="Act only where the feature is above zero")
    layer: int | None = Field(None, ge=0)
    hook_type: HookType | None = Field(None, description="As in generate")

    def as_steered(self) -> SteeredFeature:
        """The same as ``generate`` takes it, at a strength that stands for any."""
        return SteeredFeature(**self.model_dump(), coefficient=1.0)


class SweepRequest(_TextSettings, _Plan):  # type: ignore[misc, valid-type]
    """Try strengths of features on prompts, choose the best, and compare it with controls."""

    model_id: UUID
    prompts: list[Prompt] = Field(
        min_length=1,
        max_length=MAX_PROMPTS,
        description="The best strength is chosen on every other one and reported on the rest",
    )
    features: list[SweepFeature] = Field(
        min_length=1, max_length=MAX_SWEPT, description="Each is swept by itself"
    )
    intervention_layer: int | None = Field(
        None, ge=0, description="By default the layer that the SAE was trained on"
    )
    force: bool = Field(False, description=FORCE_HELP)
    condition: SteeringCondition | None = Field(
        None, description="As in generate; it holds for every strength and for the controls"
    )
    controls: tuple[ControlName, ...] = Field(
        CONTROLS, description="What the best strength is compared with"
    )


class SweepFigures(ResponseModel):
    """Means over the texts of a row; perplexities are geometric means."""

    n_texts: int
    kl_mean: float
    kl_p50: float
    kl_p95: float
    perplexity: float
    perplexity_unsteered: float
    distinct_2: float
    distinct_2_unsteered: float
    repeated_3: float
    activation: float = Field(description="Of the feature, as the unsteered model reads the text")
    activation_max: float
    achieved: float = Field(description="Of the feature, in the model that wrote the text")
    promoted_share: float | None
    similarity: float
    embedding_similarity: float | None
    word_overlap: float
    first_divergence: float | None = Field(description="Over the texts that differ at all")
    n_tokens: float
    ended_share: float = Field(description="Of the texts that came to an end by themselves")
    mean_delta_norm_ratio: float | None
    positions_touched: float | None


class SweepRow(ResponseModel):
    strength: float | None = Field(
        description="In the feature's unit; null for the unsteered row of clamp and floor, which "
        "have no neutral strength"
    )
    unit: CoefficientUnit = Field(description="A strength from a KL target is in activation units")
    activation_units: float | None
    kl_target: float | None
    is_unsteered: bool
    score: float | None = Field(description="On the prompts that the best strength is chosen on")
    figures: SweepFigures
    example: str


class SweepBest(ResponseModel):
    """The chosen strength on prompts that took no part in the choice."""

    strength: float
    unit: CoefficientUnit
    kl_target: float | None
    score: float
    unsteered_score: float = Field(description="Of no steering, on the same prompts")
    figures: SweepFigures
    unsteered: SweepFigures
    is_held_out: bool = Field(description="False with one prompt, which was used for both")
    example: str


class SweepControl(ResponseModel):
    name: ControlName
    score: float | None
    figures: SweepFigures | None
    example: str | None
    note: str | None = Field(description="What it was compared with, or why it is missing")


class SweepSideEffect(ResponseModel):
    """Mean activation of another feature, all texts read by the unsteered model."""

    neuron_index: int
    feature_id: int | None
    name: str | None
    unsteered: float
    steered: float
    random: float | None = Field(
        description="Under a random direction of the same length: what steering changes anyway"
    )


class SweptFeature(ResponseModel):
    id: int
    neuron_index: int
    name: str | None
    method: SteeringMethod
    layer: int
    hook_type: str | None = Field(None, description="Place in the layer; older sweeps lack it")
    rows: list[SweepRow]
    best: SweepBest | None
    controls: list[SweepControl]
    side_effects: list[SweepSideEffect]
    notes: list[str]


class SweepTable(ResponseModel):
    """What is known by now."""

    features: list[SweptFeature]
    chosen_on: list[int] = Field(description="Prompts that the best strength is chosen on")
    reported_on: list[int] = Field(description="Prompts that it is reported on")
    n_prompts_done: int
    stopped: bool = Field(description="Whether it was cancelled: finished prompts are kept")
    seconds: float
    environment: SteeringEnvironment


class SweptName(ResponseModel):
    """Which feature was swept, and how."""

    id: int
    neuron_index: int
    name: str | None
    method: SteeringMethod
    unit: CoefficientUnit
    at_layer: int


class SweepListed(ResponseModel):
    id: UUID = Field(description="Also the id of its job")
    model_id: UUID
    state: JobState
    prompts: list[str]
    features: list[SweptName]
    created_at: datetime


class SweepRead(SweepListed):
    progress: float
    message: str | None
    eta_seconds: float | None
    error_code: str | None
    error_message: str | None
    select_by: str
    select_by_definition: str
    settings: dict[str, Any]
    table: SweepTable | None = Field(description="Null until the first prompt is done")
    definitions: dict[str, str]
