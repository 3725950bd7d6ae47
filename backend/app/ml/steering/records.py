"""What steering hands back, torch-free, so that services and schemas can name it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Ended = Literal["eos", "stop", "length", "stopped"]


@dataclass(frozen=True)
class GeneratedToken:
    """A sampled token, and what the unsteered model makes of it in the same text.

    ``logprob`` under its own row, ``base_logprob`` under the unsteered model, ``kl`` between the
    two next-token distributions it was drawn from, all in nats. ``activations`` of the watched
    latents at this token in the unsteered model, ``achieved`` in the row itself, after the edit.
    """

    token_id: int
    text: str
    logprob: float
    base_logprob: float
    kl: float
    activations: list[float] = field(default_factory=list)
    achieved: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class TokenEvent:
    """A token as it is chosen, for streaming.

    ``read_activations`` are those of the token before it (of the prompt's last one at index 0),
    which was read to choose this one, in the unsteered model; ``read_achieved`` in the row itself.
    """

    row: int
    branch: str
    index: int
    token_id: int
    text: str
    logprob: float
    base_logprob: float
    kl: float
    read_activations: list[float]
    read_achieved: list[float]


@dataclass(frozen=True)
class FirstDifference:
    """The first step whose logits differ from the unsteered model's on the same text."""

    index: int
    max_difference: float


@dataclass(frozen=True)
class SteeringProof:
    """Evidence that the edit took place; ratios are means over the steered positions.

    ``positions_changed`` counts those with a delta other than zero: an ablated feature that is
    active nowhere touches positions and changes none. In reconstruction mode the delta holds the
    dictionary's error too.
    """

    positions_touched: int
    prompt_positions_touched: int
    positions_changed: int
    mean_delta_norm_ratio: float
    mean_delta_norm: float
    first_differing_logit: FirstDifference | None


@dataclass(frozen=True)
class GeneratedText:
    """One row: its text without special tokens, every token, and how it ended."""

    text: str
    tokens: list[GeneratedToken]
    ended: Ended
    proof: SteeringProof | None = None


@dataclass(frozen=True)
class TextMetrics:
    """Figures of one text; definitions in ``configs.METRIC_DEFINITIONS``."""

    kl_mean: float
    kl_p50: float
    kl_p95: float
    perplexity: float
    distinct_2: float
    repeated_3: float
    promoted_share: float | None
    activation_mean: list[float]
    activation_max: list[float]
    achieved_mean: list[float]
    achieved_max: list[float]
    n_tokens: int


@dataclass(frozen=True)
class PairMetrics:
    """Figures of a text against the unsteered one of the same seed."""

    similarity: float
    embedding_similarity: float | None
    word_overlap: float
    first_divergence: int | None


@dataclass(frozen=True)
class ResolvedEdit:
    """An edit's strength in every unit; None where it does not exist or was not measured.

    ``norm_fraction`` is the mean share of the state's norm over the steered positions.
    """

    activation: float | None
    max_multiple: float | None
    norm_fraction: float | None
    kl: float | None
    direction_norm: float


@dataclass(frozen=True)
class ConditionMet:
    """What the condition did in the steered text.

    ``n_met`` of the ``n_read`` positions that the mask allows were above the threshold, the
    ``largest`` activation (None where none was read) among them.
    """

    n_read: int
    n_met: int
    largest: float | None


@dataclass(frozen=True)
class ReconstructionText:
    """The same seed with nothing but the replacement: what the dictionary's error alone does."""

    text: GeneratedText
    metrics: TextMetrics
    pair: PairMetrics
    proof: SteeringProof


@dataclass(frozen=True)
class SteeringResult:
    unsteered: GeneratedText
    steered: GeneratedText
    prompt_ids: list[int]
    prompt_tokens: list[str]
    prompt_steered: list[bool]
    unsteered_metrics: TextMetrics
    steered_metrics: TextMetrics
    pair: PairMetrics
    proof: SteeringProof
    resolved: list[ResolvedEdit]
    warnings: list[str]
    seconds: float
    first_token_seconds: float
    tokens_per_second: float
    stopped: bool = False
    condition: ConditionMet | None = None
    reconstruction: ReconstructionText | None = None
