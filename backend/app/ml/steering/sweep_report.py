"""A sweep's samples as rows, a best one, and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.ml.errors import SteeringInvalid
from app.ml.steering.controls import WHY_MISSING
from app.ml.steering.sweep_batches import TrialRunner
from app.ml.steering.sweep_records import (
    SideEffect,
    SweepBest,
    SweepControl,
    SweepRow,
    SweptReport,
)
from app.ml.steering.sweep_table import Scale, row_figures
from app.ml.steering.sweep_trials import SweptFeature, Trial


@dataclass
class Swept:
    """One feature in the course of a sweep; ``place`` is its number among all."""

    place: int
    feature: SweptFeature
    trials: list[Trial]
    notes: list[str] = field(default_factory=list)
    best: Trial | None = None
    controls: dict[str, Trial | None] = field(default_factory=dict)
    effects: list[SideEffect] = field(default_factory=list)


@dataclass(frozen=True)
class Reporter:
    """Turns the runner's samples into records; prompts by their indices."""

    runner: TrialRunner
    criterion: str
    chosen: list[int]
    reported: list[int]

    def choose(self, swept: Swept) -> Trial:
        """Return the steered trial of the highest score; among equals the weakest.

        Raises:
            SteeringInvalid: no KL target could be reached and no strength was given.
        """
        scale = self._scale(swept, self.chosen)
        steered = [trial for trial in swept.trials if trial.edits]
        if not steered:
            raise SteeringInvalid(f"There is no strength to try. {' '.join(swept.notes)}")

        def rank(trial: Trial) -> tuple[float, float]:
            # By the change itself: strengths of KL targets are in units of their own.
            figures = row_figures(self.runner.of(trial, self.chosen), swept.place)
            return scale.score(figures), -(figures.mean_delta_norm_ratio or 0.0)

        return max(steered, key=rank)

    def describe(self, swept: Swept) -> SweptReport:
        """Return what is known of a feature by now."""
        done = [trial for trial in swept.trials if self.runner.of(trial, self.chosen)]
        rows = [self._row(swept, trial) for trial in done]
        if swept.best is None:
            return SweptReport(rows, notes=swept.notes)
        controls = [self._control(swept, name) for name in swept.controls]
        return SweptReport(
            rows, self._best(swept, swept.best), controls, swept.effects, swept.notes
        )

    def _scale(self, swept: Swept, prompts: Sequence[int]) -> Scale:
        found = [self.runner.of(trial, prompts) for trial in swept.trials]
        rows = [row_figures(samples, swept.place) for samples in found if samples]
        return Scale.over(self.criterion, rows)

    def _row(self, swept: Swept, trial: Trial) -> SweepRow:
        samples = self.runner.samples[trial.name]
        on_chosen = row_figures(self.runner.of(trial, self.chosen), swept.place)
        is_amount = bool(trial.edits) and trial.edits[0].method in ("add", "clamp", "floor")
        return SweepRow(
            strength=trial.strength,
            activation_units=trial.edits[0].amount() if is_amount else None,
            kl_target=trial.kl_target,
            is_unsteered=not trial.edits,
            score=self._scale(swept, self.chosen).score(on_chosen),
            figures=row_figures(samples, swept.place),
            example=samples[0].text.text,
        )

    def _best(self, swept: Swept, best: Trial) -> SweepBest:
        scale = self._scale(swept, self.reported)
        samples = self.runner.of(best, self.reported)
        figures = row_figures(samples, swept.place)
        base = row_figures(self.runner.of(swept.trials[0], self.reported), swept.place)
        return SweepBest(
            strength=best.strength or 0.0,
            kl_target=best.kl_target,
            score=scale.score(figures),
            unsteered_score=scale.score(base),
            figures=figures,
            unsteered=base,
            is_held_out=self.reported != self.chosen,
            example=samples[0].text.text,
        )

    def _control(self, swept: Swept, name: str) -> SweepControl:
        trial = swept.controls[name]
        samples = self.runner.of(trial, self.reported) if trial is not None else []
        if not samples:
            why = WHY_MISSING[name] if trial is None else "The sweep ended before it."
            return SweepControl(name, None, None, None, why)
        figures = row_figures(samples, swept.place)
        score = self._scale(swept, self.reported).score(figures)
        note = swept.feature.matched_name if name == "matched_feature" else None
        return SweepControl(name, score, figures, samples[0].text.text, note)
