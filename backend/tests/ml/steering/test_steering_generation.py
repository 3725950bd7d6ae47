"""Steering touches what it says it touches, by the amount it says, and nothing else."""

import dataclasses
import math
from pathlib import Path

import pytest
import torch

from app.ml.configs import SteeringConfig
from app.ml.errors import SteeringInvalid, Stopped
from app.ml.language_models import LoadedModel, resolve_hook_point
from app.ml.language_models.forward import capture
from app.ml.sae_training import load_sae
from app.ml.steering import FeatureEdit, feature_edit, generate_comparison
from app.ml.steering.decoding import BatchDecoder
from app.ml.steering.hooks import SteeringHook
from app.ml.steering.prompts import encode_prompt
from app.ml.steering.records import SteeringResult, TokenEvent
from app.ml.steering.rows import RowPlan
from tests.ml.steering_edits import CONFIG, PROMPT, changed, decoded, direction


def ids_of(result: SteeringResult, which: str) -> list[int]:
    return [token.token_id for token in getattr(result, which).tokens]


def steered_logits(glass: LoadedModel, edits: list[FeatureEdit], config: SteeringConfig):  # type: ignore[no-untyped-def]
    """Logits of the steered row at every step, and how many positions it touched."""
    logits, decoder = decoded(glass, edits, config)
    return logits, decoder.evidence_of(1)[0]


def test_a_coefficient_of_zero_leaves_the_text_identical(glass: LoadedModel) -> None:
    result = generate_comparison(glass, [direction(coefficient=0.0)], CONFIG)
    assert result.steered.text == result.unsteered.text
    assert result.pair.first_divergence is None
    assert result.proof.first_differing_logit is None
    assert result.steered_metrics.kl_mean < 1e-6
    assert result.pair.word_overlap == 1
    assert result.pair.similarity == pytest.approx(1)
    assert result.proof.mean_delta_norm == 0
    assert "all strengths are 0" in result.warnings[0]


@pytest.mark.parametrize(
    ("method", "coefficient"), [("add", 0.0), ("scale", 1.0), ("project", 1.0)]
)
def test_a_strength_of_zero_is_bit_identical_to_no_steering(
    glass: LoadedModel,
    sae_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    coefficient: float,
) -> None:
    edit = feature_edit(sae_path, 7, 2, "residual", coefficient, "activation", method=method)
    hooked, touched = steered_logits(glass, [edit], CONFIG)
    monkeypatch.setattr(SteeringHook, "steer", lambda _hook, _value: None)
    bare, untouched = steered_logits(glass, [edit], CONFIG)
    assert touched > 0 == untouched
    assert torch.equal(hooked, bare)


def test_steering_changes_the_text_and_says_how_much(glass: LoadedModel) -> None:
    result = generate_comparison(glass, [direction()], CONFIG)
    assert result.steered.text != result.unsteered.text
    metrics = result.steered_metrics
    assert metrics.kl_mean > 0.01
    assert metrics.kl_p95 >= metrics.kl_p50
    assert metrics.perplexity > 1
    assert result.unsteered_metrics.kl_mean == 0
    assert result.proof.mean_delta_norm == pytest.approx(20, rel=1e-4)
    assert result.proof.first_differing_logit is not None
    assert result.proof.first_differing_logit.index == 0
    assert result.resolved[0].activation == 20.0
    assert result.resolved[0].norm_fraction == pytest.approx(
        result.proof.mean_delta_norm_ratio, rel=1e-6
    )
    assert len(result.steered.tokens) == 16
    # Start token unsteered, the prompt's tokens steered, and all generated but the last read.
    assert result.prompt_steered == [False] + [True] * (len(result.prompt_tokens) - 1)
    assert result.proof.prompt_positions_touched == len(result.prompt_tokens) - 1
    assert result.proof.positions_touched == len(result.prompt_tokens) - 1 + 15
    assert result.proof.positions_changed == result.proof.positions_touched


def test_the_unsteered_text_does_not_depend_on_the_steering(glass: LoadedModel) -> None:
    texts = {
        generate_comparison(glass, [direction(seed, coefficient=c)], CONFIG).unsteered.text
        for seed, c in ((0, 20.0), (1, -40.0), (2, 0.0))
    }
    assert len(texts) == 1


def test_the_same_seed_gives_the_same_text_and_another_one_another(glass: LoadedModel) -> None:
    one, two = (generate_comparison(glass, [direction()], CONFIG) for _ in range(2))
    assert one.steered == two.steered
    other = generate_comparison(glass, [direction()], changed(seed=4))
    assert other.unsteered.text != one.unsteered.text


def test_greedy_is_the_models_own_greedy_text(glass: LoadedModel) -> None:
    result = generate_comparison(glass, [direction()], changed(temperature=0.0))
    ids = torch.tensor([[3, *glass.tokenizer(PROMPT).input_ids]])
    expected = glass.model.generate(
        ids, max_new_tokens=16, do_sample=False, pad_token_id=0, eos_token_id=3
    )
    assert ids_of(result, "unsteered") == expected[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize(
    "values",
    [
        {"method": "add", "coefficient": 20.0},
        {"method": "add", "unit": "norm", "coefficient": 0.4},
        {"method": "clamp", "coefficient": 9.0},
        {"method": "floor", "coefficient": 9.0},
        {"method": "ablate", "coefficient": 0.0},
        {"method": "project", "coefficient": -1.0},
        {"method": "add", "coefficient": 20.0, "only_active": True},
    ],
)
@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"exclude_special": False},
        {"steer_prompt": False},
        {"positions": (4,)},
        {"window": (3, 9)},
    ],
)
def test_cache_no_cache_and_pieces_of_the_prompt_agree(
    glass: LoadedModel, sae_path: Path, values: dict[str, object], scope: dict[str, object]
) -> None:
    edit = feature_edit(sae_path, 7, 2, "residual", **{"unit": "activation", **values})  # type: ignore[arg-type]
    short = {"max_new_tokens": 6, **scope}
    ways = ({}, {"use_cache": False}, {"prefill_chunk": 2})
    runs = [steered_logits(glass, [edit], changed(**short, **way)) for way in ways]
    for logits, touched in runs[1:]:
        torch.testing.assert_close(logits, runs[0][0], atol=1e-4, rtol=0)
        assert touched == runs[0][1] > 0


def test_a_row_of_a_batch_is_the_single_run(glass: LoadedModel, sae_path: Path) -> None:
    edits = [
        direction(),
        feature_edit(sae_path, 7, 2, "residual", 3.0, "max", 4.0, method="clamp"),
        direction(1, layer=1, unit="norm", coefficient=0.5),
    ]
    plans = [RowPlan("unsteered", (), 3)]
    plans += [RowPlan(f"{n}/{seed}", (edit,), seed) for n, edit in enumerate(edits)
              for seed in (3, 4)]  # fmt: skip
    batch = BatchDecoder(glass, CONFIG, plans)
    batch.run()
    for row, plan in enumerate(plans[1:], start=1):
        single = generate_comparison(glass, plan.edits, changed(seed=plan.seed))
        found = batch.generated(row)
        assert found.text == single.steered.text
        assert [t.kl for t in found.tokens] == pytest.approx(
            [t.kl for t in single.steered.tokens], abs=1e-4
        )
        assert found.proof is not None
        assert found.proof.positions_touched == single.proof.positions_touched
        assert found.proof.mean_delta_norm == pytest.approx(single.proof.mean_delta_norm, rel=1e-4)


def test_hooks_are_gone_after_an_error_and_after_a_stop(glass: LoadedModel) -> None:
    ids = torch.arange(6)[None]
    clean = glass.model(ids).logits
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in glass.model.modules()]

    def fail(_: list[TokenEvent]) -> None:
        raise RuntimeError("reader left")

    with pytest.raises(RuntimeError, match="reader left"):
        generate_comparison(glass, [direction()], CONFIG, on_tokens=fail)
    answers = iter([False, False, True])
    stopped = generate_comparison(glass, [direction()], CONFIG, should_stop=lambda: next(answers))
    assert stopped.stopped
    assert hooks == [
        len(m._forward_hooks) + len(m._forward_pre_hooks) for m in glass.model.modules()
    ]
    assert torch.equal(glass.model(ids).logits, clean)


def test_two_layers_at_once_are_each_steered_by_their_own(glass: LoadedModel) -> None:
    edits = [direction(0, layer=1, coefficient=5.0), direction(1, layer=3, coefficient=11.0)]
    result = generate_comparison(glass, edits, CONFIG)
    assert result.proof.positions_touched == len(result.prompt_tokens) - 1 + 15
    assert result.proof.mean_delta_norm == pytest.approx(8, rel=1e-4)


def test_units(glass: LoadedModel, sae_path: Path) -> None:
    edit = feature_edit(sae_path, 7, 2, "residual", 2.0, "max", 6.0)
    result = generate_comparison(glass, [edit], CONFIG)
    assert result.proof.mean_delta_norm == pytest.approx(12, rel=1e-4)
    assert (result.resolved[0].activation, result.resolved[0].max_multiple) == (12.0, 2.0)
    share = dataclasses.replace(edit, unit="norm", coefficient=0.25)
    result = generate_comparison(glass, [share], CONFIG)
    assert result.proof.mean_delta_norm_ratio == pytest.approx(0.25, rel=1e-4)
    assert result.resolved[0].norm_fraction == 0.25
    assert result.resolved[0].activation == pytest.approx(result.proof.mean_delta_norm, rel=0.2)


def test_a_share_of_the_norm_is_that_of_the_edits_own_place(glass: LoadedModel) -> None:
    """States grow from block to block, and a mean over all places is the share at none."""
    config = changed(steer_generated=False, max_new_tokens=1)
    small, layers = 1e-3, (0, 3)
    edits = [direction(n, layer=layer, coefficient=small) for n, layer in enumerate(layers)]
    beside = direction(5, layer=3, coefficient=0.001, unit="norm")
    result = generate_comparison(glass, [*edits, beside], config)
    points = [resolve_hook_point(glass.model, layer, "residual") for layer in layers]
    states = capture(glass, torch.tensor([result.prompt_ids]), points)
    for point, resolved in zip(points, result.resolved[:2], strict=True):
        norms = states[point][0, 1:].norm(dim=1)
        assert resolved.norm_fraction == pytest.approx(small * (1 / norms).mean().item(), rel=1e-3)
    assert result.resolved[0].norm_fraction > 1.3 * (result.resolved[1].norm_fraction or 0)
    assert result.resolved[2].norm_fraction == 0.001


def test_latents_are_read_along_both_texts(glass: LoadedModel, sae_path: Path) -> None:
    edit = feature_edit(sae_path, 7, 2, "residual", 1.0, "max", 6.0)
    result = generate_comparison(glass, [edit], CONFIG)
    point = resolve_hook_point(glass.model, 2, "residual")
    dictionary = load_sae(sae_path)
    for which in ("unsteered", "steered"):
        ids = [*result.prompt_ids, *ids_of(result, which)]
        states = capture(glass, torch.tensor([ids]), [point])[point][0, len(result.prompt_ids) :]
        expected = dictionary.encode(states)[:, 7].tolist()
        found = [token.activations[0] for token in getattr(result, which).tokens]
        assert found == pytest.approx(expected, abs=1e-3)
    assert result.steered_metrics.achieved_mean[0] > result.steered_metrics.activation_mean[0]
    unsteered = result.unsteered.tokens
    assert [t.achieved for t in unsteered] == [t.activations for t in unsteered]


def test_logprobs_and_perplexity_are_the_unsteered_models(glass: LoadedModel) -> None:
    result = generate_comparison(glass, [direction()], CONFIG)
    steered = ids_of(result, "steered")
    ids = torch.tensor([[*result.prompt_ids, *steered]])
    logits = glass.model(ids).logits[0, len(result.prompt_ids) - 1 : -1]
    logprobs = torch.log_softmax(logits, -1)[torch.arange(16), steered]
    assert [t.base_logprob for t in result.steered.tokens] == pytest.approx(
        logprobs.tolist(), abs=1e-4
    )
    assert result.steered_metrics.perplexity == pytest.approx(
        math.exp(-logprobs.mean().item()), rel=1e-4
    )
    same = [t.logprob - t.base_logprob for t in result.unsteered.tokens]
    assert same == [0.0] * 16


def test_similarity_is_that_of_the_unsteered_models_states(glass: LoadedModel) -> None:
    result = generate_comparison(glass, [direction()], CONFIG)
    means = []
    for which in ("unsteered", "steered"):
        ids = [*result.prompt_ids, *ids_of(result, which)]
        output = glass.model(torch.tensor([ids]), output_hidden_states=True)
        means.append(output.hidden_states[-1][0, len(result.prompt_ids) :].mean(dim=0))
    expected = torch.cosine_similarity(*means, dim=0).item()
    assert result.pair.similarity == pytest.approx(expected, abs=1e-4)


def test_tokens_arrive_as_they_are_chosen_and_can_be_stopped(glass: LoadedModel) -> None:
    events: list[TokenEvent] = []
    answers = iter([False] * 5 + [True])
    result = generate_comparison(
        glass, [direction()], CONFIG, on_tokens=events.extend, should_stop=lambda: next(answers)
    )
    assert result.stopped
    assert (len(result.steered.tokens), result.steered.ended) == (5, "stopped")
    steered = [e for e in events if e.branch == "steered"]
    assert "".join(e.text for e in steered) == result.steered.text
    assert [e.index for e in steered] == [0, 1, 2, 3, 4]
    assert [e.kl for e in steered] == [t.kl for t in result.steered.tokens]


def test_stopped_before_the_first_token(glass: LoadedModel) -> None:
    with pytest.raises(Stopped):
        generate_comparison(glass, [direction()], CONFIG, should_stop=lambda: True)


def test_what_is_read_arrives_with_the_next_token(glass: LoadedModel, sae_path: Path) -> None:
    events: list[TokenEvent] = []
    edit = feature_edit(sae_path, 7, 2, "residual", 1.0, "max", 6.0)
    result = generate_comparison(glass, [edit], CONFIG, on_tokens=events.extend)
    read = [e.read_activations for e in events if e.branch == "steered"]
    assert read[1:] == [token.activations for token in result.steered.tokens[:-1]]


def test_a_stop_text_ends_a_text_and_is_cut_off(glass: LoadedModel) -> None:
    whole = generate_comparison(glass, [direction()], CONFIG)
    word = whole.steered.text.split()[2]
    cut = generate_comparison(glass, [direction()], changed(stop=(word,)))
    assert cut.steered.ended == "stop"
    assert cut.steered.text == whole.steered.text[: whole.steered.text.index(word)]


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("ends_first", ["steered", "unsteered"])
def test_a_text_that_ends_before_the_other_lets_it_go_on(
    glass: LoadedModel, monkeypatch: pytest.MonkeyPatch, ends_first: str, use_cache: bool
) -> None:
    config = changed(use_cache=use_cache)
    whole = generate_comparison(glass, [direction()], config)
    ids = {name: ids_of(whole, name) for name in ("unsteered", "steered")}
    other = "unsteered" if ends_first == "steered" else "steered"
    # A token that only one of the texts has, made the end of a text.
    end = next(place for place, i in enumerate(ids[ends_first]) if i not in ids[other])
    monkeypatch.setattr(glass.model.generation_config, "eos_token_id", ids[ends_first][end])
    ended = generate_comparison(glass, [direction()], config)
    assert ids_of(ended, ends_first) == ids[ends_first][: end + 1]
    assert getattr(ended, ends_first).ended == "eos"
    assert ids_of(ended, other) == ids[other]
    assert [token.kl for token in getattr(ended, other).tokens] == pytest.approx(
        [token.kl for token in getattr(whole, other).tokens], abs=1e-5
    )
    # Neither an end nor what fills the place of the ended text is steered or counted.
    n_steered = len(ended.steered.tokens)
    assert ended.proof.positions_touched == len(ended.prompt_tokens) - 1 + n_steered - 1


def test_positions_can_be_limited(glass: LoadedModel) -> None:
    only_new = generate_comparison(glass, [direction()], changed(steer_prompt=False))
    assert only_new.proof.prompt_positions_touched == 0
    assert only_new.proof.positions_touched == 15
    # The first token is chosen before anything was steered.
    assert only_new.steered.tokens[0].token_id == only_new.unsteered.tokens[0].token_id
    assert only_new.steered.tokens[0].kl < 1e-6
    assert only_new.proof.first_differing_logit is not None
    assert only_new.proof.first_differing_logit.index == 1
    everything = generate_comparison(glass, [direction()], changed(exclude_special=False))
    assert all(everything.prompt_steered)
    two = generate_comparison(glass, [direction()], changed(positions=(2, 9)))
    assert two.proof.positions_touched == 2


def test_a_window_and_tokens_limit_where_it_is_steered(glass: LoadedModel) -> None:
    ids = encode_prompt(glass, CONFIG)
    window = changed(window=(len(ids) - 2, len(ids) + 1))  # two of the prompt, two of the text
    found = generate_comparison(glass, [direction()], window)
    assert found.prompt_steered == [False] * (len(ids) - 2) + [True] * 2
    assert found.proof.positions_touched == 4
    one = generate_comparison(glass, [direction()], changed(token_ids=(ids[2],)))
    expected = [place > 0 and other == ids[2] for place, other in enumerate(ids)]
    assert one.prompt_steered == expected
    made = [token.token_id for token in one.steered.tokens[:-1]]  # the last one is never read
    assert one.proof.positions_touched == sum(expected) + made.count(ids[2])
    both = changed(window=(2, 2), token_ids=(ids[2],), positions=(2, 3))
    assert generate_comparison(glass, [direction()], both).proof.positions_touched == 1
    nowhere = changed(window=(3, 3), token_ids=(ids[2],), max_new_tokens=1)
    assert ids[3] != ids[2]
    with pytest.raises(SteeringInvalid, match="position"):
        generate_comparison(glass, [direction()], nowhere)


def test_steering_at_another_layer_says_so(glass: LoadedModel, sae_path: Path) -> None:
    edit = feature_edit(sae_path, 7, 2, "residual", 1.0, "max", 6.0, at_layer=1)
    result = generate_comparison(glass, [edit], CONFIG)
    assert any("learned at layer 2" in warning for warning in result.warnings)
