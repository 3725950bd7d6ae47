"""Held-out figures of a dictionary as a record; torch-free."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Interval:
    """The middle 95 % of what a figure is when whole documents are drawn with replacement."""

    low: float
    high: float


@dataclass(frozen=True)
class SAEEvaluation:
    """Each figure is defined in ``configs.METRIC_DEFINITIONS``; None was not measured.

    ``n_tokens`` and ``n_documents`` stand behind the reconstruction's figures, ``n_ce_tokens``
    and ``n_ce_documents`` behind those of the model that reads text. ``intervals`` holds those of
    the figures that are ratios of sums over documents, under the figure's name.
    """

    explained_variance: float
    fvu: float
    l0: float
    l0_p5: int
    l0_p95: int
    dead_share: float
    dead_latents: int
    dense_share: float
    dense_latents: int
    cosine: float
    l2_ratio: float
    relative_bias: float | None
    mean_explained_variance: float | None
    pca_explained_variance: float | None
    pca_rank: int
    skip_explained_variance: float | None
    n_tokens: int
    n_documents: int
    ce_clean: float | None = None
    ce_sae: float | None = None
    ce_zero: float | None = None
    ce_mean: float | None = None
    ce_skip: float | None = None
    ce_recovered_zero: float | None = None
    ce_recovered_mean: float | None = None
    kl: float | None = None
    kl_zero: float | None = None
    kl_mean: float | None = None
    kl_skip: float | None = None
    kl_recovered_zero: float | None = None
    kl_recovered_mean: float | None = None
    n_ce_tokens: int = 0
    n_ce_windows: int = 0
    n_ce_documents: int = 0
    split: str = "heldout"
    intervals: dict[str, Interval] = field(default_factory=dict)
