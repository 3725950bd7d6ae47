"""How features are read out of a trained dictionary."""

from __future__ import annotations

from dataclasses import dataclass

from app.ml.configs.settings import Config, setting


@dataclass(frozen=True)
class DiscoveryConfig(Config):
    """One streaming pass over the stored activations serves all features."""

    max_tokens: int | None = setting(
        None, help="Read at most this many stored tokens; empty means all.", ge=100, unit="tokens"
    )
    examples_per_feature: int = setting(
        100, help="Strongest contexts kept per feature, each from another window.", ge=1, le=200
    )
    samples_per_interval: int = setting(
        4,
        help="Contexts sampled from every octave of a feature's activation, weak ones included.",
        ge=0,
        le=20,
    )
    near_misses: int = setting(
        8, help="Contexts kept per feature in which it almost fired.", ge=0, le=100
    )
    partners: int = setting(
        20, help="Correlated features and neighbours by direction listed per feature.", ge=0, le=100
    )
    co_firing_tokens: int = setting(
        200_000,
        help="Tokens, evenly from all that were read, on which pairs of features are counted.",
        ge=0,
        unit="tokens",
    )
    layout: str = setting(
        "auto",
        help="How directions are laid out in two dimensions; auto takes UMAP where it is worth it.",
        choices=("auto", "umap", "pca", "none"),
    )
    coherence_features: int = setting(
        128,
        help="Features, those with most activation in all, whose contexts are compared by "
        "sentence embeddings, where that package is installed.",
        ge=0,
        le=131_072,
    )
    seed: int = setting(0, help="Decides which contexts are sampled.", ge=0, le=2**31 - 1)
    left_context: int = setting(
        16, help="Tokens shown before the strongest one.", ge=0, le=1024, unit="tokens"
    )
    right_context: int = setting(
        8, help="Tokens shown after the strongest one.", ge=0, le=1024, unit="tokens"
    )
    logit_lens_tokens: int = setting(
        10, help="Most promoted and most suppressed tokens listed.", ge=0, le=100
    )
    batch_size: int = setting(8192, help="Tokens encoded at once.", ge=1, le=262_144, unit="tokens")
    precision: str = setting(
        "auto",
        help="Number format of the encoder product; kept values are always float32.",
        choices=("auto", "float32", "bfloat16"),
    )
