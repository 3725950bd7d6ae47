"""How text becomes token windows."""

from __future__ import annotations

from dataclasses import dataclass

from app.ml.configs.settings import Config, setting


@dataclass(frozen=True)
class TokenizationConfig(Config):
    """Documents are packed without padding; a document never spans the train/held-out border."""

    max_length: int = setting(
        128,
        help="Tokens per window that the language model reads at once.",
        ge=8,
        le=8192,
        unit="tokens",
    )
    separator: str = setting(
        "auto",
        help="Token after each document: auto takes <|endoftext|>, else the end-of-text token.",
        choices=("auto", "none"),
    )
    start_token: str = setting(
        "auto",
        help="First token of every window, never trained on: auto takes the tokenizer's own "
        "beginning token, else the separator.",
        choices=("auto", "none"),
    )
    heldout_percent: float = setting(
        10.0,
        help="Share of documents kept out of training, chosen by a hash of their text.",
        ge=0.0,
        le=50.0,
        unit="%",
    )
    max_tokens: int | None = setting(
        None, help="Stop after this many tokens; empty means the whole corpus.", ge=1000
    )
    max_documents: int | None = setting(
        None, help="Stop after this many documents; empty means all.", ge=1
    )
