"""What the core hands back, torch-free, so that services and schemas can name it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True)
class Progress:
    """How far a long operation is; ``rate`` in units per second once it can be measured."""

    done: float
    total: float
    unit: str
    message: str
    rate: float | None = None


Report = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


def to_json(record: Any) -> dict[str, Any]:
    """Return a record's fields as plain JSON types."""
    return {name: _plain(value) for name, value in vars(record).items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value  # first, because nearly all are: dataclasses.asdict copies each of them
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Path):
        return str(value)
    return to_json(value) if dataclasses.is_dataclass(value) else value


@dataclass(frozen=True)
class LayerCard:
    """One named part of a model, for its architecture page."""

    name: str
    kind: str
    shape: str
    params: int


@dataclass(frozen=True)
class ModelCard:
    """What can be known of a model from its folder without loading the weights.

    ``d_z`` (width of all heads together) and ``hook_types`` (places that every block has) are
    known once the model was loaded, at its import.
    """

    architecture: str
    family: str
    params_count: int
    n_layers: int
    d_model: int
    n_heads: int
    n_kv_heads: int
    d_mlp: int
    vocab_size: int
    max_positions: int
    tied: bool
    dtype: str
    size_bytes: int
    memory_bytes: int
    layers: list[LayerCard] = field(default_factory=list)
    quantization: str = "FP16"
    d_z: int | None = None
    hook_types: tuple[str, ...] = ()


@dataclass(frozen=True)
class TokenizationSummary:
    """Figures of a token store; ``lengths`` counts documents per upper bound in tokens."""

    n_tokens: int
    n_train_tokens: int
    n_heldout_tokens: int
    n_documents: int
    n_heldout_documents: int
    n_skipped_documents: int
    vocabulary_used: int
    vocabulary_size: int
    mean_length: float
    median_length: float
    min_length: int
    max_length: int
    lengths: list[dict[str, int | None]]
    separator_id: int | None
    start_id: int | None
    tokens_per_second: float
    size_bytes: int


@dataclass(frozen=True)
class HookSummary:
    """Norms of one hook point over its calibration tokens, before any is dropped."""

    layer: int
    hook_type: str
    d_model: int
    median_norm: float
    mean_norm: float
    max_norm: float
    first_position_norm: float
    norm_outliers: int


@dataclass(frozen=True)
class ExtractionSummary:
    """Figures of an activation store; a row is one kept token at every hook point."""

    n_tokens: int
    n_train_tokens: int
    n_heldout_tokens: int
    n_windows: int
    dropped_special: int
    dropped_norm: int
    tokens_per_second: float
    seconds: float
    size_bytes: int
    model_dtype: str
    hooks: list[HookSummary]


@dataclass(frozen=True)
class StepMetrics:
    """One point of a training curve; ``loss`` is the value that this step descended.

    ``floor_share`` is defined in ``configs.METRIC_DEFINITIONS``; ``gpu_utilization`` in per cent,
    None without a GPU or where its driver does not tell.
    """

    step: int
    loss: float
    reconstruction_loss: float
    l0: float
    explained_variance: float
    dead_latents: int
    learning_rate: float
    gradient_norm: float
    tokens_per_second: float
    tokens_seen: int
    auxiliary_loss: float
    sparsity_loss: float
    memory_bytes: int
    floor_share: float
    gpu_utilization: float | None


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint on disk; ``path`` is its folder, ``removed`` the older ones deleted for it.

    ``quality`` is the explained variance that the best one is chosen by, on ``quality_split``.
    """

    path: Path
    step: int
    loss: float
    l0: float
    explained_variance: float
    size_bytes: int
    reason: Literal["interval", "request", "stop", "final"]
    removed: list[Path] = field(default_factory=list)
    quality: float | None = None
    quality_split: Literal["heldout", "training"] = "training"
    seconds: float | None = None
    """What writing it took, by whoever wrote it just now."""


@dataclass(frozen=True)
class TrainingOutcome:
    """How a call of ``train`` ended; ``reason`` is what ``should_stop`` answered."""

    status: Literal["completed", "stopped"]
    step: int
    checkpoint: CheckpointInfo
    tokens_per_second: float
    seconds: float
    reason: str | None = None


@dataclass(frozen=True)
class TokenEvidence:
    """A token that a feature fires on.

    ``count`` firings on it, ``share`` of the feature's activation mass, ``p_fire`` of the token's
    occurrences fire the feature.
    """

    token: str
    token_id: int
    count: int
    mean_activation: float
    share: float
    p_fire: float


@dataclass(frozen=True)
class LogitEffect:
    token: str
    token_id: int
    logit: float


@dataclass(frozen=True)
class Relation:
    """Another feature that fires with this one, or points the same way; None: not listed there."""

    index: int
    pearson: float | None = None
    jaccard: float | None = None
    pmi: float | None = None
    together: int | None = None
    cosine: float | None = None


@dataclass(frozen=True)
class FeatureRecord:
    """One latent; ``histogram`` holds counts per logarithmic bin with its edges.

    ``label`` is evidence, never an invented concept: empty when nothing recurs; ``label_source``
    names the rule that gave it. ``scores`` are defined in ``configs.METRIC_DEFINITIONS``; one that
    was not measured is missing.
    """

    index: int
    activation_frequency: float
    n_fires: int
    mean_activation: float
    deviation: float
    max_activation: float
    quantiles: dict[str, float]
    histogram: dict[str, list[float]]
    intervals: list[dict[str, float]]
    label: str
    label_source: str
    top_tokens: list[TokenEvidence]
    rule_tokens: list[str]
    logit_lens: dict[str, list[LogitEffect]] | None
    correlated: list[Relation]
    decoder_neighbours: list[Relation]
    encoder_neighbours: list[Relation]
    scores: dict[str, float]
    score_details: dict[str, Any]
    place: tuple[float, float] | None
    cluster: int | None
    n_examples: int

    def words(self) -> Iterator[tuple[str, int, str, float]]:
        """Yield what the feature is found by: kind, rank, token and its share or its logit."""
        for rank, token in enumerate(self.top_tokens):
            yield "fires_on", rank, token.token, token.share
        for rank, effect in enumerate((self.logit_lens or {}).get("top", [])):
            yield "promotes", rank, effect.token, effect.logit


@dataclass(frozen=True)
class ExampleRecord:
    """A context: tokens around the peak with the feature's activation at each.

    ``kind`` is "top", "sample" (of the ``octave`` of its activation) or "near_miss" (it lacked
    ``-margin`` to fire). ``token_index`` points into the token store, ``position`` into ``tokens``
    (the peak), ``window_position`` into its window, ``document`` is the document's number in the
    imported corpus.
    """

    feature: int
    kind: Literal["top", "sample", "near_miss"]
    rank: int
    document: int
    token_index: int
    position: int
    window_position: int
    split: str
    token_ids: list[int]
    tokens: list[str]
    activations: list[float]
    max_activation: float
    text: str
    octave: int | None = None
    margin: float | None = None


class PackedContext(NamedTuple):
    """A context as it is stored: ``ExampleRecord`` without a Python object per token.

    ``token_ids`` int32, ``token_lengths`` uint16 (characters of each token in ``text``) and
    ``activations`` float32 are big-endian; ``split`` is "train" or "held_out".
    """

    rank: int
    document: int
    position: int
    max_activation: float
    kind: Literal["top", "sample", "near_miss"]
    split: str
    text: str
    token_ids: bytes
    token_lengths: bytes
    activations: bytes
    octave: int | None
    margin: float | None
    token_index: int
    window_position: int


@dataclass(frozen=True)
class DiscoverySummary:
    n_features: int
    n_alive: int
    n_dead: int
    n_dense: int
    n_labelled: int
    n_tokens: int
    n_co_firing_tokens: int
    token_counts_exact: bool
    layout: str
    embedder: str | None
    mean_l0: float
    seconds: float
    tokens_per_second: float
