"""Steered generation beside the unsteered one."""

from typing import Literal
from uuid import UUID

from pydantic import AliasChoices, Field

from app.ml.configs import SteeringConfig
from app.schemas.common import MAX_ID, RequestModel, ResponseModel
from app.schemas.from_dataclass import request_model_from
from app.schemas.placed import PLACE_NAMES, HookType, PlacedRequest

CoefficientUnit = Literal["max_multiple", "activation", "norm_fraction", "kl"]
SteeringMode = Literal["delta", "reconstruction"]
SteeringMethod = Literal["add", "clamp", "floor", "scale", "ablate", "project"]
MAX_FEATURES = 16
FORCE_HELP = (
    "Steer at another layer or place than a feature was learned at; without it such a request is "
    "refused, as a direction may mean something else there"
)


class SteeredFeature(PlacedRequest):
    id: int = Field(
        validation_alias=AliasChoices("id", "feature_id"),
        description="Feature id, as the feature list gives it; `feature_id`, as presets call it, "
        "is understood too",
    )
    coefficient: float = Field(
        1.0,
        ge=-1000,
        le=1000,
        allow_inf_nan=False,
        description="Strength (add), target (clamp, floor) or factor (scale, project)",
    )
    unit: CoefficientUnit = Field(
        "max_multiple",
        description="max_multiple: times the feature's largest measured activation; activation: "
        "absolute; norm_fraction: share of the state's norm at that position; kl: nats that the "
        "strength is calibrated to, its sign saying which way. Scale, ablate and project have none",
    )
    method: SteeringMethod = Field(
        "add",
        description="add: the direction is added; clamp: the feature is set to the target; floor: "
        "raised to it where it is lower; scale: multiplied; ablate: set to 0; project: the state's "
        "part along the direction is multiplied (0 removes it)",
    )
    only_active: bool = Field(False, description="Act only where the feature is above zero")
    layer: int | None = Field(
        None, ge=0, description="By default the intervention layer, else the SAE's own"
    )
    hook_type: HookType | None = Field(
        None,
        description=f"Place in the block; by default the one that the SAE writes. {PLACE_NAMES}",
    )


class SteeringCondition(RequestModel):
    """Steer only the positions at which a feature is active, as this very run reads them."""

    feature_id: int = Field(
        ge=1,
        le=MAX_ID,
        validation_alias=AliasChoices("feature_id", "id"),
        description="A feature of any SAE of the model, read at the edit's layer or an earlier one",
    )
    threshold: float = Field(
        0.0,
        ge=0,
        le=1_000_000,
        allow_inf_nan=False,
        description="In activation units; the feature must exceed it before the edit is made",
    )


_SteeringSettings = request_model_from(SteeringConfig, "SteeringSettings")


class SteeringGenerate(_SteeringSettings):  # type: ignore[misc, valid-type]
    """Generate with and without the features' directions added where they were learned."""

    model_id: UUID
    prompt: str = Field(min_length=1, max_length=20_000)
    features: list[SteeredFeature] = Field(min_length=1, max_length=MAX_FEATURES)
    intervention_layer: int | None = Field(
        None, ge=0, description="By default the layer that the SAE was trained on"
    )
    force: bool = Field(False, description=FORCE_HELP)
    condition: SteeringCondition | None = Field(
        None, description="Steer only where a feature fires, among the positions chosen otherwise"
    )
    run_id: UUID | None = Field(
        None,
        description="An id of your own for the run: subscribe to the room job:{run_id} first, and "
        "no token is missed; cancel it under /jobs/{run_id}/cancel, which keeps the text so far",
    )


class GeneratedToken(ResponseModel):
    token_id: int
    text: str
    logprob: float = Field(description="Under the model that produced it, nats")
    base_logprob: float = Field(description="Under the unsteered model, nats")
    kl: float = Field(description="KL(steered || unsteered) at this step, nats")
    activations: list[float] = Field(
        description="Of each feature at this token, when the unsteered model reads the text"
    )
    achieved: list[float] = Field(
        description="Of each feature at this token in the model that wrote it, after the edit"
    )


class GeneratedText(ResponseModel):
    text: str
    tokens: list[GeneratedToken]
    perplexity: float | None = Field(description="Under the unsteered model")
    ended: Literal["eos", "length", "stop", "stopped"]


class SteeringMetric(ResponseModel):
    key: str
    label: str
    value: float | None
    unit: str
    definition: str


class FirstDifference(ResponseModel):
    index: int
    max_difference: float


class SteeringProof(ResponseModel):
    """That the edit acted: refused with an error when no position was touched."""

    positions_touched: int
    prompt_positions_touched: int
    positions_changed: int = Field(description="Of the touched ones, those with a change above 0")
    mean_delta_norm: float
    mean_delta_norm_ratio: float = Field(description="Mean of ‖delta‖ / ‖h‖ over touched positions")
    first_differing_logit: FirstDifference | None = Field(
        description="First step whose logits differ by more than 1e-4 from the unsteered model's "
        "on the same text"
    )
    first_divergence: int | None = Field(description="First token index where the texts differ")


class PromptToken(ResponseModel):
    token_id: int
    text: str
    steered: bool = Field(description="Chosen by the settings and meeting the condition, if any")


class DiffPart(ResponseModel):
    """A stretch of tokens in both texts, as half-open ranges of token indices."""

    op: Literal["equal", "replace", "delete", "insert"]
    unsteered: tuple[int, int]
    steered: tuple[int, int]


class ResolvedFeature(ResponseModel):
    id: int
    neuron_index: int
    name: str | None
    coefficient: float
    unit: CoefficientUnit
    method: SteeringMethod
    only_active: bool = Field(False, description="Acted only where the feature was above zero")
    layer: int
    hook_type: str | None = Field(None, description="Place in the block where it acted")
    own_layer: int | None = Field(
        None, description="Where it was learned; null for runs that did not keep it"
    )
    own_hook_type: str | None = Field(None, description="The place that its SAE writes")
    strength_in_activation_units: float | None
    strength_in_max_multiples: float | None
    strength_as_norm_fraction: float | None = Field(
        description="Mean over the steered positions of this run"
    )
    calibrated_kl: float | None = Field(
        description="p95 reached on the calibration text, for a KL target"
    )
    activation_unsteered: float | None = Field(
        description="Mean over the unsteered text, read by the unsteered model"
    )
    activation_steered: float | None = Field(
        description="Mean over the steered text, read by the unsteered model"
    )
    achieved_mean: float | None = Field(
        description="Mean over the steered text in the steered model, after the edit"
    )
    achieved_max: float | None


class ConditionOutcome(ResponseModel):
    """Where the condition let the steered text be steered."""

    feature_id: int
    neuron_index: int
    name: str | None
    layer: int
    threshold: float
    positions_read: int = Field(description="That the other settings allow")
    positions_met: int
    largest_activation: float | None


class ReconstructionBaseline(ResponseModel):
    """The same seed with the reconstruction and no edit: what the SAE's error alone does."""

    output: GeneratedText
    metrics: list[SteeringMetric] = Field(description="As of the steered text")
    proof: SteeringProof = Field(description="Its delta is reconstruction minus activation")


class SteeringEnvironment(ResponseModel):
    """What the text depends on besides the request; texts are reproducible per device."""

    model: str
    dtype: str
    device: str
    torch: str
    transformers: str
    weights: str = Field("unknown", description="Start of the SHA-256 of the model's weights")
    dictionaries: str = Field(description="Start of the SHA-256 of the SAEs' weights")
    sampler: str


class SteeringResult(ResponseModel):
    job_id: UUID
    model_id: UUID
    prompt: str
    prompt_tokens: list[PromptToken] = Field(
        description="As the model read it, chat template and start token included"
    )
    intervention_layer: int
    mode: SteeringMode = "delta"
    features: list[ResolvedFeature]
    condition: ConditionOutcome | None = None
    unsteered_output: GeneratedText
    steered_output: GeneratedText
    diff: list[DiffPart]
    metrics: list[SteeringMetric]
    proof: SteeringProof
    reconstruction: ReconstructionBaseline | None = Field(
        None, description="In reconstruction mode only"
    )
    warnings: list[str]
    notes: list[str] = Field([], description="What was left out here, and why; nothing is wrong")
    environment: SteeringEnvironment
    stopped: bool = Field(description="Whether it was cancelled: the texts end there")
    seconds: float
    first_token_seconds: float
