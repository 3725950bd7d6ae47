"""Discovered features: the table, one feature, its contexts, its logit lens."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from app.ml.configs import DiscoveryConfig
from app.schemas.common import RequestModel, ResponseModel
from app.schemas.from_dataclass import request_model_from

FeatureSort = Literal[
    "activation", "activation_frequency", "interpretability", "max_activation", "mean_activation",
    "neuron_index", "id", "name",
]  # fmt: skip

_DiscoverySettings = request_model_from(DiscoveryConfig, "DiscoverySettings")


class FeatureExtract(_DiscoverySettings):  # type: ignore[misc, valid-type]
    """Measure all features of a training's latest checkpoint in one pass."""

    training_id: UUID
    template_id: UUID | None = Field(
        None, description="Extraction template whose number of examples is taken"
    )


class FeatureExample(ResponseModel):
    """A context that fires the feature. ``position`` is the index of the maximum in ``tokens``."""

    rank: int
    document: int
    position: int
    split: Literal["train", "held_out"]
    tokens: list[str]
    token_ids: list[int]
    activations: list[float]
    max_activation: float


class FeatureRow(ResponseModel):
    id: int
    training_id: UUID
    neuron_index: int
    layer: int | None
    name: str | None = Field(description="Given by a person, else the measured label")
    label: str | None = Field(description="Tokens that the strongest contexts share, if any")
    description: str | None
    activation_frequency: float | None
    interpretability_score: float | None = Field(description="Null until a score was measured")
    max_activation: float | None
    mean_activation: float | None
    n_fires: int | None
    is_favorite: bool
    top_example: FeatureExample | None


class FeatureRead(FeatureRow):
    metadata: dict[str, Any] = Field(
        description="top_tokens, quantiles, histogram, discovery settings"
    )
    n_tokens: int | None = Field(description="Tokens that the statistics were measured on")
    n_examples: int
    created_at: datetime


class FeaturePatch(RequestModel):
    name: str | None = Field(None, max_length=255)
    description: str | None = Field(None, max_length=10_000)
    is_favorite: bool | None = None


class LensToken(ResponseModel):
    token: str
    token_id: int
    logit: float


class LogitLens(ResponseModel):
    feature_id: int
    definition: str
    top: list[LensToken]
    bottom: list[LensToken]
