"""Steering that acts exactly where another feature fires, and says so."""

from dataclasses import replace

import pytest
import torch

from app.ml.configs import SteeringConfig
from app.ml.configs.sweep import SweepConfig
from app.ml.errors import NoEffect, SteeringInvalid
from app.ml.language_models import LoadedModel, resolve_hook_point
from app.ml.language_models.forward import capture
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder
from app.ml.steering import FeatureEdit, feature_edit, generate_comparison
from app.ml.steering.calibration import KlProbes, calibrate
from app.ml.steering.conditions import Condition
from app.ml.steering.decoding import BatchDecoder
from app.ml.steering.hooks import SteeringHook
from app.ml.steering.latents import Latent
from app.ml.steering.rows import RowPlan
from app.ml.steering.sweep import run_sweep
from app.ml.steering.sweep_batches import SweepRun
from app.ml.steering.sweep_trials import SweptFeature
from tests.ml.conftest import ignore
from tests.ml.planted_behaviour import (
    ACTIVATIONS,
    CAUSE,
    EFFECT,
    LAYER,
    STRENGTH,
    planted_dictionary,
)
from tests.ml.steering_edits import decoded

TEXT = "Alice was beginning to"
OTHER = 3
"""A latent at right angles to the planted one."""


def config_of(planted: LoadedModel, **values: object) -> SteeringConfig:
    """A prompt in which the cause stands twice, the second time last."""
    cause = planted.tokenizer.decode([CAUSE])
    base = SteeringConfig(prompt=f"{TEXT}{cause} get{cause}", max_new_tokens=8, seed=3)
    return replace(base, **values)  # type: ignore[arg-type]


def when(dictionary: SparseAutoencoder, threshold: float, layer: int = LAYER) -> Condition:
    return Condition(Latent(dictionary, 0, layer, "residual"), threshold)


def adding(dictionary: SparseAutoencoder, amount: float = 30.0) -> FeatureEdit:
    return feature_edit(dictionary, OTHER, LAYER, "residual", amount, "activation")


def firing(model: LoadedModel, ids: list[int], condition: Condition) -> set[int]:
    """Positions of a text, the first aside, at which the unsteered model meets the condition."""
    point = resolve_hook_point(model.model, condition.latent.layer, "residual")
    states = capture(model, torch.tensor([ids]), [point])[point][0]
    values = condition.latent.dictionary.encode(states)[:, condition.latent.index]
    special = set(model.special_ids)
    return {
        place for place, value in enumerate(values.tolist())
        if value > condition.threshold and place > 0 and ids[place] not in special
    }  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("threshold", [0.0, 2.0, STRENGTH / 2])
def test_it_acts_exactly_where_the_condition_fires(
    planted: LoadedModel, monkeypatch: pytest.MonkeyPatch, activation: str, threshold: float
) -> None:
    """Every value that the hook changes is counted by hand, beside what the unsteered model reads:
    the condition's place is not behind the edit, so both must agree at every position."""
    dictionary, changed = planted_dictionary(activation), set()
    steer = SteeringHook.steer

    def watched(hook: SteeringHook, value_BSD: torch.Tensor) -> torch.Tensor | None:
        found_BSD, now = steer(hook, value_BSD), hook.current
        if found_BSD is not None and now is not None and now.counts:
            for row, column in (found_BSD != value_BSD).any(dim=2).nonzero().tolist():
                changed.add((now.texts[row], now.first + column))
        return found_BSD

    monkeypatch.setattr(SteeringHook, "steer", watched)
    condition = when(dictionary, threshold)
    _, decoder = decoded(planted, [adding(dictionary)], config_of(planted), condition)
    ids = [*decoder.prompt_ids, *decoder.texts[1].ids]
    expected = firing(planted, ids[:-1], condition)  # the last token is read by nothing
    assert {place for text, place in changed if text == 1} == expected
    assert {text for text, _ in changed} == {1}
    assert {place for place, i in enumerate(ids[:-1]) if i == CAUSE} <= expected
    proof = decoder.generated(1).proof
    assert proof is not None
    assert proof.positions_touched == proof.positions_changed == len(expected)
    in_prompt = {place for place in expected if place < len(decoder.prompt_ids)}
    assert proof.prompt_positions_touched == len(in_prompt)
    assert {n for n, steered in enumerate(decoder.prompt_steered(1)) if steered} == in_prompt
    met = decoder.condition_met(1)
    assert met is not None
    assert (met.n_met, met.n_read) == (len(expected), sum(decoder.texts[1].mask[:-1]))
    assert met.largest == pytest.approx(STRENGTH, rel=0.2)


@pytest.mark.parametrize("method", ["add", "clamp", "project"])
@pytest.mark.parametrize("scope", [{}, {"window": (3, 12)}, {"steer_prompt": False}])
def test_cache_no_cache_and_pieces_of_the_prompt_agree(
    planted: LoadedModel, method: str, scope: dict[str, object]
) -> None:
    dictionary = planted_dictionary("jumprelu")
    edit = feature_edit(dictionary, OTHER, LAYER, "residual", 9.0, "activation", method=method)
    condition = when(dictionary, 1.0)
    ways: list[dict[str, object]] = [{}, {"use_cache": False}, {"prefill_chunk": 2}]
    first, *others = [
        decoded(planted, [edit], config_of(planted, **scope, **way), condition) for way in ways
    ]
    assert 0 < first[1].evidence_of(1)[0] < sum(first[1].texts[1].mask[:-1])
    for logits, decoder in others:
        torch.testing.assert_close(logits, first[0], atol=1e-4, rtol=0)
        assert decoder.evidence_of(1)[:2] == first[1].evidence_of(1)[:2]
        assert decoder.prompt_steered(1) == first[1].prompt_steered(1)
        assert [p for p, _ in decoder.reader.gate.readings(1)] == [  # type: ignore[union-attr]
            p
            for p, _ in first[1].reader.gate.readings(1)  # type: ignore[union-attr]
        ]


def test_a_row_of_a_batch_is_the_single_run(planted: LoadedModel) -> None:
    dictionary = planted_dictionary("topk")
    condition, config = when(dictionary, 1.0), config_of(planted)
    edits = [adding(dictionary, 30.0), adding(dictionary, -20.0)]
    plans = [RowPlan("unsteered", (), 3)]
    plans += [RowPlan(f"{n}/{s}", (edit,), s) for n, edit in enumerate(edits) for s in (3, 4)]
    batch = BatchDecoder(planted, config, plans, condition=condition)
    batch.run()
    for row, plan in enumerate(plans[1:], start=1):
        single = generate_comparison(
            planted, [e for e in plan.edits if isinstance(e, FeatureEdit)],
            replace(config, seed=plan.seed), condition=condition,
        )  # fmt: skip
        found = batch.generated(row)
        assert found.text == single.steered.text
        assert found.proof is not None
        assert found.proof.positions_touched == single.proof.positions_touched
        assert batch.prompt_steered(row) == single.prompt_steered
        assert batch.condition_met(row) == single.condition


def test_the_planted_behaviour_is_removed_where_it_arises_only(planted: LoadedModel) -> None:
    """Ablating everywhere and ablating where the feature fires give the same text."""
    dictionary = planted_dictionary("jumprelu")
    edit = feature_edit(dictionary, 0, LAYER, "residual", 0.0, method="ablate")
    config = config_of(planted, temperature=0.0)
    everywhere = generate_comparison(planted, [edit], config)
    somewhere = generate_comparison(planted, [edit], config, condition=when(dictionary, 0.0))
    assert everywhere.unsteered.tokens[0].token_id == EFFECT
    assert somewhere.steered.text == everywhere.steered.text
    assert somewhere.proof.positions_touched == somewhere.proof.positions_changed
    assert somewhere.proof.positions_touched < everywhere.proof.positions_touched
    assert somewhere.proof.positions_changed == everywhere.proof.positions_changed


def test_an_earlier_layer_and_another_dictionary_may_decide(planted: LoadedModel) -> None:
    earlier = when(planted_dictionary("relu"), STRENGTH / 2, layer=0)
    edit, config = adding(planted_dictionary("jumprelu")), config_of(planted)
    result = generate_comparison(planted, [edit], config, condition=earlier)
    causes = [n for n, i in enumerate(result.prompt_ids) if i == CAUSE]
    assert [n for n, steered in enumerate(result.prompt_steered) if steered] == causes
    assert result.condition is not None
    assert result.condition.n_met >= 2


def test_what_is_read_too_late_or_never_met_is_refused(planted: LoadedModel) -> None:
    dictionary, config = planted_dictionary("relu"), config_of(planted)
    edit = adding(dictionary)
    with pytest.raises(SteeringInvalid, match="computes after the edit at layer 2"):
        generate_comparison(planted, [edit], config, condition=when(dictionary, 0.0, layer=3))
    in_block = replace(edit, hook_type="mlp")
    with pytest.raises(SteeringInvalid, match="computes after the edit at L2_mlp"):
        generate_comparison(planted, [in_block], config, condition=when(dictionary, 0.0))
    with pytest.raises(NoEffect, match=r"never met: feature 0 \(layer 2\) reached 6\d"):
        generate_comparison(planted, [edit], config, condition=when(dictionary, 500.0))
    for threshold in (-1.0, float("nan"), float("inf")):
        with pytest.raises(SteeringInvalid, match="threshold"):
            generate_comparison(planted, [edit], config, condition=when(dictionary, threshold))
    beyond = Condition(Latent(dictionary, 8, LAYER, "residual"))
    with pytest.raises(SteeringInvalid, match="there are 0 to 7"):
        generate_comparison(planted, [edit], config, condition=beyond)
    nowhere = replace(config, positions=(120,))
    with pytest.raises(NoEffect, match="No position was steered"):
        generate_comparison(planted, [edit], nowhere, condition=when(dictionary, 0.0))


def test_a_kl_target_is_met_where_the_condition_holds(planted: LoadedModel) -> None:
    dictionary, config = planted_dictionary("relu"), config_of(planted)
    edit, condition = adding(dictionary, 1.0), when(dictionary, STRENGTH / 2)
    everywhere = calibrate(KlProbes.of(planted, [config]), edit, 0.3)
    found = calibrate(KlProbes.of(planted, [config], condition), edit, 0.3)
    assert found.kl == pytest.approx(0.3, rel=0.1)
    assert found.strength > 1.5 * everywhere.strength  # fewer positions must do it
    with pytest.raises(NoEffect, match="never met"):
        calibrate(KlProbes.of(planted, [config], when(dictionary, 500.0)), edit, 0.3)


def test_a_sweep_keeps_to_the_condition(planted: LoadedModel) -> None:
    dictionary = planted_dictionary("relu")
    config = config_of(planted, max_new_tokens=4)

    def sweep(threshold: float, prompts: list[str]):  # type: ignore[no-untyped-def]
        run = SweepRun(
            planted, config, prompts, 1, ignore, lambda: False,
            condition=when(dictionary, threshold),
        )  # fmt: skip
        plan = SweepConfig(strengths=(10.0, 20.0), controls=("random_direction", "opposite"))
        return run_sweep(run, [SweptFeature(adding(dictionary))], plan, ignore)

    report = sweep(STRENGTH / 2, [config.prompt])
    best, controls = report.features[0].best, report.features[0].controls
    figures = [best.figures, *(control.figures for control in controls)]
    assert [row.positions_touched for row in figures] == [2, 2, 2]
    with pytest.raises(NoEffect, match="Prompt 2: The condition was never met"):
        sweep(STRENGTH / 2, [config.prompt, TEXT])
