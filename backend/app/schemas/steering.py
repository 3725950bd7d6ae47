"""Steered generation beside the unsteered one."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from app.ml.configs import SteeringConfig
from app.schemas.common import RequestModel, ResponseModel
from app.schemas.from_dataclass import request_model_from

CoefficientUnit = Literal["max_multiple", "activation", "norm_fraction"]


class SteeredFeature(RequestModel):
    id: int = Field(description="Feature id, as the feature list gives it")
    coefficient: float = Field(ge=-1000, le=1000)
    unit: CoefficientUnit = Field(
        "max_multiple",
        description="max_multiple: times the feature's largest measured activation; activation: "
        "absolute; norm_fraction: share of the residual norm at that position",
    )


_SteeringSettings = request_model_from(SteeringConfig, "SteeringSettings")


class SteeringGenerate(_SteeringSettings):  # type: ignore[misc, valid-type]
    """Generate with and without the features' directions added to the residual stream."""

    model_id: UUID
    prompt: str = Field(min_length=1, max_length=20_000)
    features: list[SteeredFeature] = Field(min_length=1, max_length=16)
    intervention_layer: int | None = Field(
        None, ge=0, description="By default the layer that the SAE was trained on"
    )


class GeneratedToken(ResponseModel):
    token_id: int
    text: str
    logprob: float = Field(description="Under the model that produced it, nats")
    base_logprob: float = Field(description="Under the unsteered model, nats")
    kl: float = Field(description="KL(steered || unsteered) at this step, nats")


class GeneratedText(ResponseModel):
    text: str
    tokens: list[GeneratedToken]
    perplexity: float | None = Field(description="Under the unsteered model")
    ended: Literal["eos", "length"]


class SteeringMetric(ResponseModel):
    key: str
    label: str
    value: float | None
    unit: str
    definition: str


class SteeringProof(ResponseModel):
    """That the edit acted: refused with an error when no position was touched."""

    positions_touched: int
    mean_delta_norm_ratio: float = Field(description="Mean of ‖delta‖ / ‖h‖ over touched positions")
    first_divergence: int | None = Field(description="First token index where the texts differ")


class ResolvedFeature(ResponseModel):
    id: int
    neuron_index: int
    name: str | None
    coefficient: float
    unit: CoefficientUnit
    strength_in_activation_units: float | None


class SteeringResult(ResponseModel):
    job_id: UUID
    model_id: UUID
    prompt: str
    intervention_layer: int
    features: list[ResolvedFeature]
    unsteered_output: GeneratedText
    steered_output: GeneratedText
    metrics: list[SteeringMetric]
    proof: SteeringProof
    seconds: float
