"""What a sweep over steering strengths tries, and how it chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from app.ml.configs.settings import Config, Problem, setting

ControlName = Literal["random_direction", "matched_feature", "opposite", "prompt", "diffmean"]
CONTROLS: tuple[ControlName, ...] = get_args(ControlName)
"""random_direction: one of the same length; matched_feature: another feature that fires about as
often and as strongly; opposite: the sign turned; prompt: the unsteered model asked for the
feature's words; diffmean: mean state where the feature fires minus mean state where it does not."""

CRITERIA: dict[str, str] = {
    "balance": "Harmonic mean of concept and fluency. Concept: the feature's mean activation over "
    "the text, read by the unsteered model, divided by the largest of all strengths. Fluency: "
    "perplexity of the unsteered text / that of this one, times distinct-2 of this text / that of "
    "the unsteered one, each factor at most 1 (a loop is cheap to predict and not fluent).",
    "activation": "The feature's mean activation over the text, read by the unsteered model.",
    "promoted_share": "Share of the text's tokens among the 20 that the feature promotes most.",
}
NEUTRAL_STRENGTH: dict[str, float | None] = {"add": 0.0, "scale": 1.0, "project": 1.0}
"""The strength at which a method changes nothing; clamp and floor have none."""
MAX_STRENGTHS = 32


@dataclass(frozen=True)
class SweepConfig(Config):
    strengths: tuple[float, ...] = setting(
        (), help="Strengths in each feature's unit; the unsteered text is always beside them.",
        ge=-1000.0, le=1000.0,
    )  # fmt: skip
    kl_targets: tuple[float, ...] = setting(
        (), help="Further strengths, calibrated to these KL targets (p95, nats; the sign says "
        "which way).", ge=-20.0, le=20.0,
    )  # fmt: skip
    n_samples: int = setting(
        1, help="Texts per prompt and strength, each with a seed of its own.", ge=1, le=16
    )
    controls: tuple[str, ...] = setting(
        CONTROLS, help="What the best strength is compared with.", choices=CONTROLS
    )
    select_by: str = setting(
        "balance", help="By what the best strength is chosen.", choices=tuple(CRITERIA)
    )

    def combination_problems(self) -> list[Problem]:
        if not self.strengths and not self.kl_targets:
            return [Problem("strengths", "give at least one strength, or a KL target")]
        if 0 in self.kl_targets:
            return [Problem("kl_targets", "must not hold 0; the sign says which way to steer")]
        if len(self.strengths) + len(self.kl_targets) > MAX_STRENGTHS:
            return [Problem("strengths", f"at most {MAX_STRENGTHS} can be tried at once")]
        return []

    def strengths_for(self, method: str) -> list[float]:
        """Return the strengths at which a method changes something, ascending, each once."""
        return sorted(set(self.strengths) - {NEUTRAL_STRENGTH.get(method)})

    def why_nothing_to_try(self, method: str) -> str | None:
        """Return what is wrong with the strengths for a method; None when there is one to try."""
        if self.kl_targets or self.strengths_for(method):
            return None
        neutral = NEUTRAL_STRENGTH.get(method)
        return f'"{method}" changes nothing at {neutral:g}; give a strength other than that'
