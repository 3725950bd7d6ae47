"""Strengths found for KL targets: met on the probes, few passes, refused when out of reach."""

from dataclasses import replace

import pytest
import torch

from app.ml.configs import SteeringConfig
from app.ml.errors import SteeringInvalid, Stopped
from app.ml.language_models import LoadedModel
from app.ml.steering import FeatureEdit, feature_edit, generate_comparison
from app.ml.steering.calibration import KlProbe, KlProbes, calibrate, solve_strength
from tests.ml.planted_behaviour import LAYER, STRENGTH, planted_dictionary
from tests.ml.steering_edits import changed, direction

CONFIG = SteeringConfig(prompt="Alice was beginning to", max_new_tokens=8, seed=3)
EDIT = feature_edit(planted_dictionary("relu"), 0, LAYER, "residual", 1.0, "max", STRENGTH)


def test_targets_are_met_within_a_tenth_in_few_passes(planted: LoadedModel) -> None:
    prompts = (CONFIG.prompt, "The old man went into the")
    probes = KlProbes.of(planted, [replace(CONFIG, prompt=prompt) for prompt in prompts])
    found = [calibrate(probes, EDIT, target) for target in (0.1, 0.3, 1.0, 3.0)]
    for target, calibrated in zip((0.1, 0.3, 1.0, 3.0), found, strict=True):
        strength = replace(EDIT, coefficient=calibrated.strength, unit="activation")
        assert probes.measure(strength) == pytest.approx(target, rel=0.1)
        assert calibrated.n_probes <= 6
    strengths = [calibrated.strength for calibrated in found]
    assert strengths == sorted(strengths)
    assert calibrate(probes, EDIT, -0.3).strength < 0


def test_what_was_found_is_not_sought_again(
    planted: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(prompt: str) -> KlProbes:
        return KlProbes.of(planted, [replace(CONFIG, prompt=prompt)])

    first = calibrate(of("The ship sailed"), EDIT, 0.4)
    passes: list[float] = []
    measure = KlProbes.measure

    def count(probes: KlProbes, edit: FeatureEdit) -> float:
        passes.append(edit.coefficient)
        return measure(probes, edit)

    monkeypatch.setattr(KlProbes, "measure", count)
    assert calibrate(of("The ship sailed"), replace(EDIT, coefficient=7.0), 0.4) == first
    assert passes == []
    calibrate(of("The ship sailed"), EDIT, 0.5)
    n_passes = len(passes)
    calibrate(of("A ship sailed"), EDIT, 0.4)
    assert 0 < n_passes < len(passes)


def test_a_target_out_of_reach_says_what_was_reached(planted: LoadedModel) -> None:
    probes = KlProbes.of(planted, [CONFIG])
    with pytest.raises(SteeringInvalid, match="No strength reaches 500 nats"):
        calibrate(probes, EDIT, 500.0)


def test_a_target_that_is_missed_is_refused_and_not_taken_for_met(glass: LoadedModel) -> None:
    """A random direction can move this text by 6.6 nats, at many times the state's own norm."""
    probes = KlProbes.of(glass, [changed()])
    with pytest.raises(
        SteeringInvalid, match=r"No strength reaches 9 nats here; .* 6\.6\. Ask for"
    ):
        calibrate(probes, direction(0), 9.0)
    found = calibrate(probes, direction(0), 5.0)
    assert found.kl == pytest.approx(5.0, rel=0.1)


def test_where_a_feature_is_never_active_there_is_nothing_to_calibrate(glass: LoadedModel) -> None:
    silent = planted_dictionary("relu")
    silent.b_enc_F.fill_(-1e6)
    edit = feature_edit(silent, 0, LAYER, "residual", 1.0, "kl", only_active=True)
    with pytest.raises(SteeringInvalid, match="turn only_active off"):
        generate_comparison(glass, [edit], CONFIG)


def test_it_is_stopped_at_the_next_pass(
    planted: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancelled run must not go on to calibrate, which takes a pass or more for each feature."""
    passes: list[int] = []
    read = KlProbe._log_probabilities

    def count(probe: KlProbe, edits: tuple[FeatureEdit, ...]) -> torch.Tensor:
        passes.append(len(edits))
        return read(probe, edits)

    monkeypatch.setattr(KlProbe, "_log_probabilities", count)
    edit = replace(EDIT, coefficient=0.7, unit="kl")
    with pytest.raises(Stopped):
        generate_comparison(planted, [edit], CONFIG, should_stop=lambda: True)
    assert passes == []
    with pytest.raises(Stopped):  # the unsteered reading and the states' norm, then one strength
        generate_comparison(planted, [edit], CONFIG, should_stop=lambda: len(passes) > 2)
    assert passes == [0, 1, 1]


def test_a_run_says_which_strength_its_target_became(planted: LoadedModel) -> None:
    edit = replace(EDIT, coefficient=1.0, unit="kl")
    [resolved] = generate_comparison(planted, [edit], CONFIG).resolved
    assert resolved.kl == pytest.approx(1.0, rel=0.1)
    assert resolved.activation is not None
    assert resolved.max_multiple == pytest.approx(resolved.activation / STRENGTH)


def test_the_square_law_is_solved_in_two_passes() -> None:
    found = solve_strength(lambda c: 0.5 * c * c, 2.0, 0.1, 100.0)
    assert (found.strength, found.n_probes) == (pytest.approx(2.0), 2)
