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
        20, help="Strongest contexts kept per feature, each from another window.", ge=1, le=200
    )
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
