"""Discovered features: the table, one feature, its contexts, its relations."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, field_validator

from app.ml.configs import DiscoveryConfig, ScoringConfig
from app.schemas.common import Meta, Pagination, RequestModel, ResponseModel
from app.schemas.from_dataclass import request_model_from

_DiscoverySettings = request_model_from(DiscoveryConfig, "DiscoverySettings")
_ScoringSettings = request_model_from(ScoringConfig, "ScoringSettings")
MAX_TAGS = 20
ContextKind = Literal["top", "sample", "near_miss"]


class FeatureExtract(_DiscoverySettings):  # type: ignore[misc, valid-type]
    """Measure all features of a training's latest checkpoint in one pass."""

    training_id: UUID
    template_id: UUID | None = Field(
        None, description="Extraction template whose number of examples is taken"
    )


class FeatureScoring(_ScoringSettings):  # type: ignore[misc, valid-type]
    """Measure which of a training's features steer (output score) and which read (input score)."""

    training_id: UUID


class FeatureExample(ResponseModel):
    """A context of the feature. ``position`` is the index in ``tokens`` that it is about."""

    rank: int
    kind: ContextKind
    document: int
    position: int
    split: Literal["train", "held_out"]
    tokens: list[str]
    token_ids: list[int]
    activations: list[float]
    max_activation: float
    octave: int | None = Field(description="Of a sample: its activation is from 2^octave up")
    margin: float | None = Field(description="Of a near miss: what it lacked to fire, negative")
    token_index: int | None = Field(description="Place in the token store, to reproduce it")
    window_position: int | None


class SearchMatch(ResponseModel):
    """Why a feature is among the hits."""

    where: Literal[
        "name", "label", "description", "fires_on", "promotes", "similar", "fires_on_text"
    ] = Field(description="fires_on_text: the feature fires when the model reads the search itself")
    text: str = Field(description="What was found there")
    weight: float | None = Field(
        description="fires_on: share of the activation; promotes: logit; fires_on_text: share of "
        "the largest activation in the corpus; else null"
    )


class FeatureRow(ResponseModel):
    id: int
    training_id: UUID
    neuron_index: int
    layer: int | None
    name: str | None = Field(description="Given by a person, else the measured label")
    label: str | None = Field(description="Measured: what the label's source says, if anything")
    label_source: str | None = Field(
        description="token, kind, stem, tokens, next, promotes, words: the rule that gave it; "
        "model, endpoint: a language model that was asked to; imported: it came in a file"
    )
    top_token: str | None = Field(description="Token with the largest share of the activation")
    description: str | None
    tags: list[str]
    activation_frequency: float | None
    interpretability_score: float | None = Field(description="Null until a score was measured")
    max_activation: float | None
    mean_activation: float | None
    p99_activation: float | None
    n_fires: int | None
    token_concentration: float | None
    effective_tokens: float | None
    token_entropy: float | None
    token_rule: float | None
    context_shift: float | None
    coherence: float | None
    logit_kurtosis: float | None
    nearest_cosine: float | None
    max_jaccard: float | None
    encoder_decoder_cosine: float | None
    output_score: float | None = Field(description="Null until features were scored")
    input_score: float | None = Field(description="Null until scored, and with few contexts")
    map_x: float | None
    map_y: float | None
    cluster: int | None
    is_favorite: bool
    top_example: FeatureExample | None
    matches: list[SearchMatch] = Field(description="Why it matches the search; empty without one")


class FeaturePagination(Pagination):
    total_is_capped: bool = Field(description="There are more than ``total``; counting stopped")
    next_cursor: str | None = Field(description="Pass as ``cursor``: quick however deep the page")


class LiveSearch(ResponseModel):
    """What came of reading the search as a text; without an answer the other hits stand."""

    is_answered: bool
    n_hits: int
    message: str | None = Field(description="Why there is no answer")


class FeaturePage(ResponseModel):
    """A page of features."""

    data: list[FeatureRow]
    pagination: FeaturePagination
    live: LiveSearch | None = Field(None, description="Of a live search")
    meta: Meta


class FeatureRead(FeatureRow):
    metadata: dict[str, Any] = Field(
        description="top_tokens, quantiles, histogram, intervals, score_details, settings"
    )
    definitions: dict[str, str] = Field(description="What each measured figure means")
    n_tokens: int | None = Field(description="Tokens that the statistics were measured on")
    n_examples: int
    created_at: datetime


class FeaturePatch(RequestModel):
    name: str | None = Field(None, max_length=255)
    description: str | None = Field(None, max_length=10_000)
    is_favorite: bool | None = None
    tags: list[str] | None = Field(None, max_length=MAX_TAGS)

    @field_validator("tags")
    @classmethod
    def _clean(cls, tags: list[str] | None) -> list[str] | None:
        if tags is None:
            return None
        cleaned = list(dict.fromkeys(tag.strip().lower() for tag in tags if tag.strip()))
        if any(len(tag) > 50 for tag in cleaned):
            raise ValueError("a tag has at most 50 characters")
        return cleaned


class FeatureChange(ResponseModel):
    """One change that a person made."""

    before: dict[str, Any]
    after: dict[str, Any]
    is_undone: bool
    created_at: datetime


class Interval(ResponseModel):
    """An octave of the activation: ``share`` of all firings lie in it, some are shown."""

    octave: int
    low: float
    high: float
    count: int
    share: float
    examples: list[FeatureExample]


class Histogram(ResponseModel):
    """Firings per bin; edges are half-octaves, in activation units."""

    edges: list[float]
    counts: list[float]
    n_zero: int | None = Field(description="Tokens on which the feature does not fire")


class LensToken(ResponseModel):
    token: str
    token_id: int
    logit: float


class LogitLens(ResponseModel):
    feature_id: int
    definition: str
    top: list[LensToken]
    bottom: list[LensToken]


class RelatedFeature(ResponseModel):
    """Another feature of the same dictionary with what connects them; null: not measured."""

    id: int | None
    neuron_index: int
    name: str | None
    pearson: float | None
    jaccard: float | None
    pmi: float | None
    together: int | None
    cosine: float | None


class Correlations(ResponseModel):
    feature_id: int
    definition: str
    n_tokens: int | None = Field(description="Tokens on which pairs were counted")
    features: list[RelatedFeature]


class Neighbours(ResponseModel):
    feature_id: int
    decoder: list[RelatedFeature]
    encoder: list[RelatedFeature]


class MapColumns(ResponseModel):
    """All features as columns of equal length."""

    ids: list[int]
    neuron_index: list[int]
    x: list[float | None]
    y: list[float | None]
    cluster: list[int | None]
    activation_frequency: list[float | None]
    max_activation: list[float | None]
    name: list[str | None]


class FeatureMap(ResponseModel):
    """Directions in two dimensions, density against maximum, and what needs attention."""

    training_id: UUID
    layout: str | None = Field(description="umap or pca; null when nothing was laid out")
    n_clusters: int
    features: MapColumns
    dead: list[int] = Field(description="Ids of features that never fired")
    dense: list[int] = Field(description="Ids of features on more than 10 % of the tokens")
    duplicates: list[tuple[int, int, float]] = Field(
        description="Pairs of ids with the cosine of their decoder directions, closest first"
    )
