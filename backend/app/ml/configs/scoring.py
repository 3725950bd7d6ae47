"""How it is measured what features are good for: reading a text, or steering one."""

from __future__ import annotations

from dataclasses import dataclass

from app.ml.configs.settings import Config, Problem, setting

FEWEST_CONTEXTS = 10
"""A share of fewer contexts says nothing."""


@dataclass(frozen=True)
class ScoringConfig(Config):
    """Output and input score of every feature. Source: Arad et al. 2025, "SAEs are good for
    steering if you select the right features"."""

    prompt: str = setting(
        "In my experience,", help="Neutral text at whose end each feature is raised."
    )
    amplification: float = setting(
        10.0,
        help="How far a feature is raised there: times the largest activation of any feature.",
        ge=0.1,
        le=1000.0,
    )
    promoted_tokens: int = setting(
        20, help="Tokens that stand for a feature: those that its direction promotes most.",
        ge=1, le=100,
    )  # fmt: skip
    contexts: int = setting(
        100,
        help="Strongest contexts of a feature whose peaks are looked up among those tokens.",
        ge=FEWEST_CONTEXTS,
        le=200,
    )
    null_directions: int = setting(
        64, help="Random directions scored alike, for comparison.", ge=8, le=1024
    )
    batch_size: int = setting(64, help="Features read at once.", ge=1, le=1024)
    seed: int = setting(0, help="Draws the random directions.", ge=0, le=2**31 - 1)

    def combination_problems(self) -> list[Problem]:
        if not self.prompt.strip():
            return [Problem("prompt", "is empty: type a few neutral words", self.prompt)]
        return []
