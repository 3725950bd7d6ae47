"""A sweep finds the planted behaviour, and its controls do not."""

from dataclasses import replace
from typing import Any

import pytest

from app.ml.configs import ConfigInvalid, SteeringConfig
from app.ml.configs.sweep import CONTROLS, SweepConfig
from app.ml.errors import SteeringInvalid
from app.ml.language_models import LoadedModel
from app.ml.records import Progress
from app.ml.steering import FeatureEdit, feature_edit, generate_comparison
from app.ml.steering.sweep import run_sweep
from app.ml.steering.sweep_batches import SweepRun, TrialRunner
from app.ml.steering.sweep_records import RowFigures, SweepReport
from app.ml.steering.sweep_table import Scale, fluency
from app.ml.steering.sweep_trials import Contexts, SweptFeature, halves, make_trials
from tests.ml.conftest import never
from tests.ml.planted_behaviour import CAUSE, LAYER, STRENGTH, planted_dictionary

CONFIG = SteeringConfig(prompt="(each of the prompts)", max_new_tokens=6, seed=3)
PROMPTS = ("Alice was beginning to", "The old man went into the", "It was a cold")
DICTIONARY = planted_dictionary("relu")


def edit_of(index: int = 0, **values: Any) -> FeatureEdit:
    edit = feature_edit(DICTIONARY, index, LAYER, "residual", 1.0, "max", STRENGTH)
    return replace(edit, **values)


def run_of(planted: LoadedModel, **values: Any) -> SweepRun:
    defaults: dict[str, Any] = {
        "loaded": planted, "config": CONFIG, "prompts": PROMPTS, "n_samples": 1,
        "report": lambda _: None, "should_stop": never,
    }  # fmt: skip
    return SweepRun(**defaults | values)


def contexts(planted: LoadedModel) -> Contexts:
    """Windows in which only the planted token fires the feature."""
    ids = [*planted.tokenizer(PROMPTS[1]).input_ids, CAUSE]
    activations = [*[0.0] * (len(ids) - 1), STRENGTH]
    return Contexts([ids, ids[1:]], [activations, activations[1:]])


@pytest.fixture(scope="module")
def swept(planted: LoadedModel) -> tuple[SweepReport, list[SweepReport], list[Progress]]:
    """Two features, three strengths, a KL target, all controls; the second feature is noise."""
    reports: list[SweepReport] = []
    progress: list[Progress] = []
    features = [
        SweptFeature(edit_of(), edit_of(3), "Compared with #3.", contexts(planted), "white things"),
        SweptFeature(edit_of(5)),
    ]
    sweep = SweepConfig(strengths=(0.0, -0.5, 0.5), kl_targets=(0.5,), select_by="promoted_share")
    run = run_of(planted, report=progress.append)
    return run_sweep(run, features, sweep, reports.append), reports, progress


Swept = tuple[SweepReport, list[SweepReport], list[Progress]]


def test_every_strength_has_a_row_and_the_best_is_judged_on_other_prompts(swept: Swept) -> None:
    report = swept[0]
    first, second = report.features
    assert [row.strength for row in first.rows[:3]] == [0.0, -0.5, 0.5]
    assert [row.is_unsteered for row in first.rows] == [True, False, False, False]
    assert [row.activation_units for row in first.rows[:3]] == [None, -30.0, 30.0]
    assert first.rows[3].kl_target == 0.5
    assert first.rows[0].figures.kl_mean == 0
    assert {row.figures.n_texts for row in first.rows} == {3}
    assert (report.chosen_on, report.reported_on) == ([0, 2], [1])
    assert first.best is not None
    assert first.best.is_held_out
    assert first.best.figures.n_texts == 1
    assert first.best.score == 1 > 0.2 > first.best.unsteered_score
    assert (first.best.strength, first.best.figures.promoted_share) == (0.5, 1.0)
    assert second.rows[2].figures.activation != first.rows[2].figures.activation


def test_the_controls_do_not_do_what_the_feature_does(swept: Swept) -> None:
    feature, noise = swept[0].features
    controls = {control.name: control for control in feature.controls}
    assert tuple(controls) == CONTROLS
    assert feature.best is not None
    own = feature.best.figures
    # The planted token is all that the difference of means can be about.
    shares = {name: control.score for name, control in controls.items()}
    assert shares == {
        "random_direction": 0, "matched_feature": 0, "opposite": 0, "prompt": 0, "diffmean": 1,
    }  # fmt: skip
    for name in ("random_direction", "matched_feature", "opposite", "diffmean"):
        figures = controls[name].figures
        assert figures is not None
        assert own.mean_delta_norm_ratio is not None
        assert figures.mean_delta_norm_ratio == pytest.approx(own.mean_delta_norm_ratio, rel=0.3)
    missing = {c.name: c.note for c in noise.controls if c.figures is None}
    assert set(missing) == {"matched_feature", "prompt", "diffmean"}
    assert all(missing.values())


def test_side_effects_are_other_features_and_stand_beside_chance(swept: Swept) -> None:
    effects = swept[0].features[0].side_effects
    assert 0 not in {effect.neuron_index for effect in effects}
    sizes = [abs(effect.steered - effect.unsteered) for effect in effects]
    assert sizes == sorted(sizes, reverse=True)
    assert all(effect.random is not None for effect in effects)


def test_finished_prompts_are_told_and_progress_never_goes_back(swept: Swept) -> None:
    report, parts, progress = swept
    assert [part.n_prompts_done for part in parts] == [1, 2, 3]
    assert parts[0].features[0].best is None
    assert parts[0].features[0].rows[1].figures.n_texts == 1
    told = [step.done for step in progress if step.unit == "texts"]
    assert told == sorted(told)
    # 3 prompts of unsteered, 2 strengths and a target of 2 features; 10 controls less 3 missing.
    assert progress[0].message == "Calibrating strengths"
    assert (told[-1], progress[-1].total) == (3 * (1 + 6) + 7, 3 * (1 + 6) + 10)
    assert not report.stopped


def test_cancelled_it_keeps_the_finished_prompts(planted: LoadedModel, swept: Swept) -> None:
    parts: list[SweepReport] = []
    run = run_of(planted, should_stop=lambda: bool(parts))
    sweep = SweepConfig(strengths=(-0.5, 0.5))
    report = run_sweep(run, [SweptFeature(edit_of())], sweep, parts.append)
    assert report.stopped
    assert report.n_prompts_done == 1
    assert report.features[0].best is None
    assert [row.example for row in report.features[0].rows] == [
        row.example for row in swept[0].features[0].rows[:3]
    ]


def test_a_row_is_the_single_run_and_batches_can_be_cut(
    planted: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ml.steering.sweep_batches.MAX_TEXTS", 3)
    feature = SweptFeature(edit_of())
    runner = TrialRunner(run_of(planted, n_samples=2), [feature], 6)
    trials = make_trials(0, feature.edit, SweepConfig(strengths=(0.3, 0.5)))
    runner.generate(trials, 1)
    for trial in trials[1:]:
        for sample in runner.samples[trial.name]:
            config = replace(CONFIG, prompt=PROMPTS[1], seed=sample.seed)
            single = generate_comparison(planted, list(trial.edits), config)
            assert sample.text.text == single.steered.text
            assert sample.unsteered.text == single.unsteered.text
            assert sample.metrics.kl_p95 == pytest.approx(single.steered_metrics.kl_p95, abs=1e-4)
            assert sample.pair.similarity == pytest.approx(single.pair.similarity, abs=1e-4)
    assert [s.seed for s in runner.samples[trials[0].name]] == [3, 4]


def test_an_unreachable_target_is_a_note_and_nothing_to_try_an_error(planted: LoadedModel) -> None:
    one = run_of(planted, prompts=PROMPTS[:1], config=replace(CONFIG, max_new_tokens=2))
    both = SweepConfig(strengths=(0.5,), kl_targets=(20.0,), controls=())
    [feature] = run_sweep(one, [SweptFeature(edit_of(5))], both, lambda _: None).features
    assert "No strength reaches 20 nats" in feature.notes[0]
    assert feature.best is not None
    assert not feature.best.is_held_out
    with pytest.raises(SteeringInvalid, match="no strength to try"):
        run_sweep(one, [SweptFeature(edit_of(5))], replace(both, strengths=()), lambda _: None)


def test_refusals_come_before_the_first_text(planted: LoadedModel) -> None:
    sweep = SweepConfig(strengths=(0.5,))
    no_dictionary = SweptFeature(edit_of(latent=None))
    with pytest.raises(SteeringInvalid, match="of a dictionary"):
        run_sweep(run_of(planted), [no_dictionary], sweep, lambda _: None)
    too_long = run_of(planted, prompts=(PROMPTS[0], "word " * 200))
    with pytest.raises(SteeringInvalid, match="shorten the prompt"):
        run_sweep(too_long, [SweptFeature(edit_of())], sweep, lambda _: None)
    absurd = SweepConfig(strengths=(900.0,))
    with pytest.raises(SteeringInvalid, match="smaller coefficient"):
        run_sweep(run_of(planted), [SweptFeature(edit_of())], absurd, lambda _: None)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "strengths"),
        ({"kl_targets": (0.0, 1.0)}, "kl_targets"),
        ({"strengths": tuple(range(1, 34))}, "strengths"),
        ({"strengths": (float("nan"),)}, "strengths"),
        ({"strengths": (1.0,), "controls": ("magic",)}, "controls"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(values: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigInvalid, match=field):
        SweepConfig(**values)


def figures(**values: float) -> RowFigures:
    known = dict.fromkeys(RowFigures.__dataclass_fields__, 1.0)
    return RowFigures(**{**known, **values})  # type: ignore[arg-type]


def test_scores_by_hand() -> None:
    fluent = figures(activation=2.0, perplexity=8.0, perplexity_unsteered=8.0)
    broken = figures(activation=4.0, perplexity=32.0, perplexity_unsteered=8.0)
    loop = figures(activation=4.0, perplexity=2.0, perplexity_unsteered=8.0, distinct_2=0.1)
    assert (fluency(fluent), fluency(broken), fluency(loop)) == (1.0, 0.25, 0.1)
    scale = Scale.over("balance", [fluent, broken, loop])
    assert scale.score(fluent) == pytest.approx(2 * 0.5 / 1.5)
    assert scale.score(broken) == pytest.approx(2 * 0.25 / 1.25)
    assert scale.score(loop) == pytest.approx(2 * 0.1 / 1.1)
    assert Scale.over("balance", [figures(activation=0.0)]).score(figures(activation=0.0)) == 0
    assert Scale("activation", 4.0).score(broken) == 4.0


@pytest.mark.parametrize(
    ("method", "neutral", "other"), [("add", 0.0, 1.0), ("scale", 1.0, 0.0), ("project", 1.0, 0.0)]
)
def test_what_changes_nothing_depends_on_the_method(
    planted: LoadedModel, method: str, neutral: float, other: float
) -> None:
    """A factor of 0 removes the feature and is well worth trying; a factor of 1 is not."""
    feature = SweptFeature(edit_of(method=method))
    run = run_of(planted, prompts=PROMPTS[:1])

    def sweep_of(strength: float) -> SweepReport:
        sweep = SweepConfig(strengths=(strength,), controls=())
        return run_sweep(run, [feature], sweep, lambda _: None)

    best = sweep_of(other).features[0].best
    assert best is not None
    assert best.strength == other
    with pytest.raises(SteeringInvalid, match=f"changes nothing at {neutral:g}"):
        sweep_of(neutral)
    assert SweepConfig(strengths=(0.0,)).why_nothing_to_try("clamp") is None


def test_alike_strengths_have_rows_of_their_own_and_equal_ones_share_one(
    planted: LoadedModel,
) -> None:
    run = run_of(planted, prompts=PROMPTS[:2])
    near = (0.12345671, 0.12345672)
    sweep = SweepConfig(strengths=(*near, near[0]), kl_targets=(0.3, 0.3), controls=())
    [feature] = run_sweep(run, [SweptFeature(edit_of())], sweep, lambda _: None).features
    assert [row.strength for row in feature.rows[:3]] == [0.0, *near]
    assert [row.kl_target for row in feature.rows[3:]] == [0.3]
    assert {row.figures.n_texts for row in feature.rows} == {2}


def test_among_equals_the_smallest_change_is_chosen_whatever_its_unit(planted: LoadedModel) -> None:
    silent = planted_dictionary("relu")
    silent.b_enc_F.fill_(-1e6)  # never active, so that every strength scores 0
    edit = feature_edit(silent, 0, LAYER, "residual", 1.0, "max", STRENGTH)
    sweep = SweepConfig(
        strengths=(1.5,), kl_targets=(0.2,), controls=(), select_by="activation"
    )  # fmt: skip
    run = run_of(planted, prompts=PROMPTS[:2])
    [feature] = run_sweep(run, [SweptFeature(edit)], sweep, lambda _: None).features
    strong, mild = feature.rows[1:]
    assert strong.activation_units == 1.5 * STRENGTH > (mild.activation_units or 0) > 1.5
    assert feature.best is not None
    assert feature.best.kl_target == 0.2


def test_halves_and_neutral_strengths() -> None:
    assert halves(5) == ([0, 2, 4], [1, 3])
    assert halves(1) == ([0], [0])
    scaled = make_trials(0, edit_of(method="scale"), SweepConfig(strengths=(0.0, 1.0, 2.0)))
    assert [(t.strength, bool(t.edits)) for t in scaled] == [(1.0, False), (0.0, True), (2.0, True)]
    clamped = make_trials(0, edit_of(method="clamp"), SweepConfig(strengths=(0.0, 1.0)))
    assert [t.strength for t in clamped] == [None, 0.0, 1.0]
