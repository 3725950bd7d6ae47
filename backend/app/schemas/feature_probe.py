"""Trying features out: one's own text, a sheet of lines, ablation on a feature's contexts."""

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from app.schemas.common import RequestModel, ResponseModel
from app.schemas.feature import LensToken

MAX_LINES = 200
MAX_CHARACTERS = 20_000


class ProbeLine(RequestModel):
    """A line of a sheet and the class that a good feature would tell it apart as."""

    text: str = Field(min_length=1, max_length=2_000)
    expected: str = Field(min_length=1, max_length=50)


class FeatureProbe(RequestModel):
    """Which features fire where on a text, or how well they tell the lines of a sheet apart."""

    training_id: UUID
    text: str | None = Field(None, min_length=1, max_length=MAX_CHARACTERS)
    lines: list[ProbeLine] | None = Field(None, min_length=2, max_length=MAX_LINES)
    top_k: int = Field(10, ge=1, le=200, description="Features listed, per class for a sheet")
    feature_ids: list[int] = Field(
        default_factory=list, max_length=50, description="Listed in any case"
    )

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.text is None) == (self.lines is None):
            raise ValueError("give either a text or lines")
        if self.lines is not None and len({line.expected for line in self.lines}) < 2:
            raise ValueError("lines need two classes at least")
        return self


class ProbedFeature(ResponseModel):
    """A feature on the text; ``activations`` stands beside the tokens."""

    id: int | None
    neuron_index: int
    name: str | None
    max_activation: float
    share_of_max: float | None = Field(description="Of the largest activation in the corpus")
    position: int
    activations: list[float]


class ClassFigure(ResponseModel):
    """A feature's largest activation per line as a test for one class against the rest."""

    id: int | None
    neuron_index: int
    name: str | None
    auc: float
    low: float
    high: float
    mean_expected: float
    mean_other: float


class ClassScores(ResponseModel):
    expected: str
    n_expected: int
    n_other: int
    features: list[ClassFigure]


class ProbeResult(ResponseModel):
    job_id: UUID
    tokens: list[str] = Field(description="Empty for a sheet")
    token_ids: list[int]
    n_firing: int | None = Field(description="Features that fire anywhere on the text")
    features: list[ProbedFeature]
    classes: list[ClassScores]
    definition: str


class AblatedContext(ResponseModel):
    """Lists stand beside the tokens; the last token predicts nothing that is known."""

    tokens: list[str]
    token_ids: list[int]
    activations: list[float]
    loss_change: list[float | None]
    kl: list[float]


class Ablation(ResponseModel):
    feature_id: int
    definition: str
    n_positions: int = Field(description="Tokens on which the feature fired")
    mean_loss_change: float | None
    mean_kl: float | None
    promoted: list[LensToken] = Field(description="``logit``: mean rise of the log-probability")
    suppressed: list[LensToken]
    contexts: list[AblatedContext]
