"""Trials on prompts, in batches that share the reading of each prompt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import torch

from app.ml.configs import SteeringConfig
from app.ml.errors import NoEffect, Stopped
from app.ml.language_models.loading import LoadedModel
from app.ml.records import Progress, Report, ShouldStop
from app.ml.steering.comparison import pair_metrics, text_metrics
from app.ml.steering.conditions import Condition
from app.ml.steering.decoding import BatchDecoder
from app.ml.steering.promoted import promoted_by
from app.ml.steering.records import GeneratedText, TokenEvent
from app.ml.steering.rows import RowPlan
from app.ml.steering.sweep_trials import UNSTEERED, Sample, SweptFeature, Trial

MAX_TEXTS = 32
"""Texts generated in one batch; their shadows come on top."""
SimilarityOf = Callable[[str, str], float | None]


@dataclass(frozen=True)
class SweepRun:
    """The model and everything that all trials share."""

    loaded: LoadedModel
    config: SteeringConfig
    prompts: Sequence[str]
    n_samples: int
    report: Report
    should_stop: ShouldStop
    similarity_of: SimilarityOf | None = None
    condition: Condition | None = None


@dataclass(frozen=True)
class _Text:
    generated: GeneratedText
    state_D: torch.Tensor


class TrialRunner:
    """Generates the texts of trials and keeps them by trial in ``samples``.

    Rows of one prompt run together: the unsteered ones first, one per seed, then every strength of
    every feature with the same seeds. Every feature is watched in every row.

    Args:
        run: What the trials share.
        features: Those that trials and figures are about.
        n_texts: How many texts there will be, for the progress.
    """

    def __init__(self, run: SweepRun, features: Sequence[SweptFeature], n_texts: int) -> None:
        self.run, self.n_texts, self.n_done = run, n_texts, 0
        self.samples: dict[str, list[Sample]] = {}
        self._watched = [f.edit.latent for f in features if f.edit.latent is not None]
        self._promoted = [
            promoted_by(run.loaded, [replace(f.edit, method="add", coefficient=1.0)])
            for f in features
        ]
        self._unsteered: dict[tuple[int, int], _Text] = {}

    def of(self, trial: Trial, prompts: Collection[int]) -> list[Sample]:
        """Return a trial's samples on some of the prompts."""
        return [s for s in self.samples.get(trial.name, []) if s.prompt in prompts]

    def generate(self, trials: Sequence[Trial], prompt: int) -> None:
        """Generate the texts of all trials on one prompt; kept only when all of them are whole.

        Raises:
            Stopped: asked to stop.
            SteeringInvalid: a strength that leaves nothing of the model, or touches no position.
        """
        texts: dict[tuple[str, int], _Text] = {}
        for prefix in dict.fromkeys(("", *(t.prompt_prefix for t in trials))):
            plans = self._plans([t for t in trials if t.prompt_prefix == prefix], prompt, prefix)
            for start in range(0, len(plans), MAX_TEXTS):
                texts |= self._decode(plans[start : start + MAX_TEXTS], prompt, prefix)
        for seed in self._seeds():
            if (UNSTEERED, seed) in texts:
                self._unsteered[prompt, seed] = texts[UNSTEERED, seed]
        for trial in trials:
            made = [self._sample(trial, prompt, seed, texts) for seed in self._seeds()]
            self.samples.setdefault(trial.name, []).extend(made)

    def _seeds(self) -> list[int]:
        return [self.run.config.seed + n for n in range(self.run.n_samples)]

    def _plans(self, trials: Sequence[Trial], prompt: int, prefix: str) -> list[RowPlan]:
        """Return the rows; unsteered ones only where they are not there yet."""
        plans = [] if prefix else [
            RowPlan(UNSTEERED, (), seed)
            for seed in self._seeds() if (prompt, seed) not in self._unsteered
        ]  # fmt: skip
        has_rows = [trial for trial in trials if trial.edits or prefix]
        return plans + [RowPlan(t.name, t.edits, seed) for t in has_rows for seed in self._seeds()]

    def _decode(
        self, plans: Sequence[RowPlan], prompt: int, prefix: str
    ) -> dict[tuple[str, int], _Text]:
        run = self.run
        config = replace(run.config, prompt=prefix + run.prompts[prompt])
        decoder = BatchDecoder(
            run.loaded, config, plans, self._watched,
            on_tokens=lambda events: self._report(events, len(plans)), should_stop=run.should_stop,
            condition=run.condition,
        )  # fmt: skip
        decoder.run()
        if decoder.stopped:
            raise Stopped("The sweep was stopped.")
        self.n_done += len(plans)
        found = {}
        for t, plan in enumerate(plans):
            state_D = decoder.texts[t].reading_state_D
            assert state_D is not None
            try:
                found[plan.name, plan.seed] = _Text(decoder.generated(t), state_D)
            except NoEffect as error:
                raise NoEffect(f"Prompt {prompt + 1}: {error}") from error
        return found

    def _report(self, events: Sequence[TokenEvent], n_rows: int) -> None:
        share = (events[0].index + 1) / self.run.config.max_new_tokens
        done = self.n_done + n_rows * share
        self.run.report(Progress(done, self.n_texts, "texts", "Generating"))

    def _sample(
        self, trial: Trial, prompt: int, seed: int, texts: dict[tuple[str, int], _Text]
    ) -> Sample:
        base = self._unsteered[prompt, seed]
        own = texts.get((trial.name, seed), base)
        promoted = self._promoted[trial.place]
        pair = base.generated.text, own.generated.text
        embedded = self.run.similarity_of(*pair) if self.run.similarity_of is not None else None
        return Sample(
            prompt=prompt,
            seed=seed,
            text=own.generated,
            unsteered=base.generated,
            metrics=text_metrics(own.generated, promoted),
            unsteered_metrics=text_metrics(base.generated, promoted),
            pair=pair_metrics(base.generated, own.generated, (base.state_D, own.state_D), embedded),
        )
