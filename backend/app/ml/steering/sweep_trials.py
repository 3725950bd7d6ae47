"""One strength of one feature, and the texts that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.ml.configs import SteeringConfig
from app.ml.configs.sweep import NEUTRAL_STRENGTH, SweepConfig
from app.ml.errors import SteeringInvalid
from app.ml.language_models.loading import LoadedModel
from app.ml.records import ShouldStop
from app.ml.steering.calibration import KlProbes, calibrate
from app.ml.steering.conditions import Condition
from app.ml.steering.edits import FeatureEdit
from app.ml.steering.records import GeneratedText, PairMetrics, TextMetrics

UNSTEERED = "unsteered"
MAX_PROBED_PROMPTS = 4


@dataclass(frozen=True)
class Contexts:
    """Token windows of a feature with its activation at each token."""

    token_ids: Sequence[Sequence[int]] = ()
    activations: Sequence[Sequence[float]] = ()


@dataclass(frozen=True)
class SweptFeature:
    """A feature to sweep (its coefficient does not matter) and what its controls need."""

    edit: FeatureEdit
    matched: FeatureEdit | None = None
    matched_name: str = ""
    contexts: Contexts = field(default_factory=Contexts)
    words: str = ""


@dataclass(frozen=True)
class Trial:
    """What is done to the texts of one row; without edits they are unsteered."""

    name: str
    place: int
    strength: float | None
    edits: tuple[FeatureEdit, ...]
    kl_target: float | None = None
    prompt_prefix: str = ""


@dataclass(frozen=True)
class Sample:
    """One text of a trial on one prompt, with the unsteered text of the same prompt and seed."""

    prompt: int
    seed: int
    text: GeneratedText
    unsteered: GeneratedText
    metrics: TextMetrics
    unsteered_metrics: TextMetrics
    pair: PairMetrics


def halves(n_prompts: int) -> tuple[list[int], list[int]]:
    """Return the prompts that the best strength is chosen on, and those it is reported on.

    Every other prompt, so that an order in the list (by subject, by length) falls to both; a
    single prompt is both.
    """
    chosen, reported = list(range(0, n_prompts, 2)), list(range(1, n_prompts, 2))
    return chosen, reported or chosen


def make_trials(place: int, edit: FeatureEdit, sweep: SweepConfig) -> list[Trial]:
    """Return the unsteered trial of a feature and one for each strength, in order."""
    neutral = NEUTRAL_STRENGTH.get(edit.method)
    steered = [
        Trial(f"{place}:{s!r}", place, s, (replace(edit, coefficient=s),))
        for s in sweep.strengths_for(edit.method)
    ]
    return [Trial(f"{place}:{UNSTEERED}", place, neutral, ()), *steered]


def calibrated_trials(
    loaded: LoadedModel,
    config: SteeringConfig,
    prompts: Sequence[str],
    edits: Sequence[FeatureEdit],
    targets: Sequence[float],
    should_stop: ShouldStop,
    condition: Condition | None = None,
) -> list[tuple[list[Trial], list[str]]]:
    """Find the strengths at which each added feature reaches the KL targets on a few prompts.

    Returns:
        For each edit the trials, and a note for each target that no strength reaches.

    Raises:
        Stopped: asked to stop.
    """
    if not targets:
        return [([], []) for _ in edits]
    configs = [replace(config, prompt=prompt) for prompt in prompts[:MAX_PROBED_PROMPTS]]
    probes = KlProbes.of(loaded, configs, condition, should_stop)
    found: list[tuple[list[Trial], list[str]]] = []
    for place, edit in enumerate(edits):
        trials: list[Trial] = []
        notes: list[str] = []
        for target in sorted(set(targets)):
            try:
                trials.append(_calibrated(probes, place, edit, target))
            except SteeringInvalid as error:
                notes.append(str(error))
        found.append((trials, notes))
    return found


def _calibrated(probes: KlProbes, place: int, edit: FeatureEdit, target: float) -> Trial:
    found = calibrate(probes, edit, target)
    own = replace(edit, coefficient=found.strength, unit="activation", method="add")
    return Trial(f"{place}:kl {target!r}", place, found.strength, (own,), target)
