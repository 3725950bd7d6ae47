"""What a sweep hands back, torch-free."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RowFigures:
    """Means over the texts of one row; perplexities are geometric means.

    ``activation`` as the unsteered model reads the text, ``achieved`` in the model that wrote it.
    ``first_divergence`` is over the texts that differ at all, ``ended_share`` of those that came
    to an end by themselves.
    """

    n_texts: int
    kl_mean: float
    kl_p50: float
    kl_p95: float
    perplexity: float
    perplexity_unsteered: float
    distinct_2: float
    distinct_2_unsteered: float
    repeated_3: float
    activation: float
    activation_max: float
    achieved: float
    promoted_share: float | None
    similarity: float
    embedding_similarity: float | None
    word_overlap: float
    first_divergence: float | None
    n_tokens: float
    ended_share: float
    mean_delta_norm_ratio: float | None
    positions_touched: float | None


@dataclass(frozen=True)
class SweepRow:
    """One strength on all prompts; ``score`` on the half that the best one is chosen on.

    ``strength`` is None for the unsteered row of a method that has no neutral strength.
    ``activation_units`` is what was added, where that is a constant.
    """

    strength: float | None
    activation_units: float | None
    kl_target: float | None
    is_unsteered: bool
    score: float | None
    figures: RowFigures
    example: str


@dataclass(frozen=True)
class SweepBest:
    """The chosen strength on the prompts that took no part in the choice, beside no steering.

    ``is_held_out`` is false with a single prompt, which then served both.
    """

    strength: float
    kl_target: float | None
    score: float
    unsteered_score: float
    figures: RowFigures
    unsteered: RowFigures
    is_held_out: bool
    example: str


@dataclass(frozen=True)
class SweepControl:
    """A comparison on the same prompts as the best strength; ``note`` says with what, or why it
    is missing."""

    name: str
    score: float | None
    figures: RowFigures | None
    example: str | None
    note: str | None


@dataclass(frozen=True)
class SideEffect:
    """A feature's mean activation over the texts, all read by the unsteered model.

    ``random`` under the random direction of the same length: what steering changes anyway.
    """

    neuron_index: int
    unsteered: float
    steered: float
    random: float | None


@dataclass(frozen=True)
class SweptReport:
    """What is known of one feature so far; ``best`` only when every prompt was done."""

    rows: list[SweepRow]
    best: SweepBest | None = None
    controls: list[SweepControl] = field(default_factory=list)
    side_effects: list[SideEffect] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SweepReport:
    features: list[SweptReport]
    chosen_on: list[int]
    reported_on: list[int]
    n_prompts_done: int
    stopped: bool
    seconds: float
