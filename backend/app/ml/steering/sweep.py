"""Strengths of several features tried on several prompts, and the best of each put to the test.

The best strength is chosen on one half of the prompts; its figures, those of the unsteered model
and those of the controls are of the other half.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.ml.configs.sweep import SweepConfig
from app.ml.errors import SteeringInvalid, Stopped
from app.ml.records import Progress
from app.ml.steering.controls import control_trial
from app.ml.steering.prompts import check_length, encode_prompt
from app.ml.steering.side_effects import side_effects
from app.ml.steering.sweep_batches import SweepRun, TrialRunner
from app.ml.steering.sweep_records import SideEffect, SweepReport
from app.ml.steering.sweep_report import Reporter, Swept
from app.ml.steering.sweep_trials import (
    SweptFeature,
    Trial,
    calibrated_trials,
    halves,
    make_trials,
)

OnReport = Callable[[SweepReport], None]


def run_sweep(
    run: SweepRun, features: Sequence[SweptFeature], sweep: SweepConfig, on_report: OnReport
) -> SweepReport:
    """Try all strengths, choose, compare with the controls.

    Args:
        run: Model, prompts, sampling.
        features: Each is swept by itself; in the batches they run side by side.
        sweep: What is tried.
        on_report: Told of everything known, after each prompt.

    Returns:
        The whole report; asked to stop, that of the prompts that were finished.

    Raises:
        SteeringInvalid: a strength that leaves nothing of the model, a prompt that is too long,
            a feature without a dictionary, no KL target that can be reached.
    """
    work = _Sweep(run, features, sweep)
    try:
        work.try_strengths(on_report)
        work.compare()
    except Stopped:
        return work.report(stopped=True)
    return work.report()


class _Sweep:
    """A sweep as it grows."""

    def __init__(self, run: SweepRun, features: Sequence[SweptFeature], sweep: SweepConfig) -> None:
        if any(feature.edit.latent is None for feature in features):
            raise SteeringInvalid("Only features of a dictionary can be swept.")
        for feature in features:
            if why := sweep.why_nothing_to_try(feature.edit.method):
                raise SteeringInvalid(f"{why}.")
        self._began = time.monotonic()
        self._run, self._sweep = run, sweep
        self._prompt_ids = _read_prompts(run)
        self._swept = [Swept(n, f, make_trials(n, f.edit, sweep)) for n, f in enumerate(features)]
        self._chosen, self._reported = halves(len(run.prompts))
        self._runner = TrialRunner(run, features, self._count_texts())
        self._reporter = Reporter(self._runner, sweep.select_by, self._chosen, self._reported)
        self._n_prompts_done = 0

    def _count_texts(self) -> int:
        """Return the texts of a whole sweep, controls that may turn out missing included."""
        steered = sum(len(swept.trials) - 1 for swept in self._swept)
        steered += len(set(self._sweep.kl_targets)) * len(self._swept)
        controls = len(self._sweep.controls) * len(self._swept) * len(self._reported)
        return self._run.n_samples * (len(self._run.prompts) * (1 + steered) + controls)

    def try_strengths(self, on_report: OnReport) -> None:
        run = self._run
        if self._sweep.kl_targets:
            run.report(Progress(0, 0, "", "Calibrating strengths"))
        edits = [swept.feature.edit for swept in self._swept]
        prompts = [run.prompts[n] for n in self._chosen]
        found = calibrated_trials(
            run.loaded, run.config, prompts, edits, self._sweep.kl_targets, run.should_stop,
            run.condition,
        )  # fmt: skip
        for swept, (trials, notes) in zip(self._swept, found, strict=True):
            swept.trials += trials
            swept.notes += notes
        everything = [trial for swept in self._swept for trial in swept.trials]
        for prompt in range(len(run.prompts)):
            self._runner.generate(everything, prompt)
            self._n_prompts_done += 1
            on_report(self.report())

    def compare(self) -> None:
        """Choose the best strengths, generate their controls and read the side effects."""
        run = self._run
        for swept in self._swept:
            swept.best = best = self._reporter.choose(swept)
            swept.controls = {
                name: self._fitting(
                    control_trial(name, run.loaded, run.config.seed, swept.feature, best)
                )
                for name in self._sweep.controls
            }
        controls = [t for swept in self._swept for t in swept.controls.values() if t is not None]
        for prompt in self._reported if controls else ():
            self._runner.generate(controls, prompt)
        for swept in self._swept:
            swept.effects = self._side_effects(swept)

    def _fitting(self, control: Trial | None) -> Trial | None:
        """Return the control unless its words make a prompt longer than the model reads."""
        if control is None or not control.prompt_prefix:
            return control
        try:
            _read_prompts(self._run, control.prompt_prefix)
        except SteeringInvalid:
            return None
        return control

    def _side_effects(self, swept: Swept) -> list[SideEffect]:
        latent = swept.feature.edit.latent
        assert latent is not None
        assert swept.best is not None
        random = swept.controls.get("random_direction")
        return side_effects(
            self._run.loaded,
            latent,
            self._prompt_ids,
            self._runner.of(swept.best, self._reported),
            self._runner.of(random, self._reported) if random else [],
        )

    def report(self, *, stopped: bool = False) -> SweepReport:
        """Return what is known by now."""
        return SweepReport(
            features=[self._reporter.describe(swept) for swept in self._swept],
            chosen_on=self._chosen,
            reported_on=self._reported,
            n_prompts_done=self._n_prompts_done,
            stopped=stopped,
            seconds=time.monotonic() - self._began,
        )


def _read_prompts(run: SweepRun, prefix: str = "") -> list[list[int]]:
    """Return the token ids of every prompt, all of them checked before the first text.

    Raises:
        SteeringInvalid: one of them leaves no room for its text.
    """
    found = []
    for prompt in run.prompts:
        config = replace(run.config, prompt=prefix + prompt)
        found.append(encode_prompt(run.loaded, config))
        check_length(run.loaded, found[-1], config)
    return found
