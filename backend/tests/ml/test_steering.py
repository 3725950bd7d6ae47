"""Steering touches what it says it touches, by the amount it says, and nothing else."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from app.ml.configs import SteeringConfig
from app.ml.errors import HookPointNotFound, NoEffect, SteeringInvalid
from app.ml.language_models import LoadedModel, resolve_hook_point
from app.ml.language_models.forward import capture, hooked
from app.ml.records import FeatureEdit, TokenEvent
from app.ml.steering import feature_edit, generate_comparison
from app.ml.steering.comparison import distinct_2, first_divergence, word_overlap
from app.ml.steering.edits import Proof, SteeringHook, resolve_places
from app.ml.steering.generation import _Generation
from app.ml.steering.prompts import encode_prompt
from app.ml.steering.sampling import Sampler, penalise, pick, sampling_probabilities

PROMPT = "Alice was beginning to"
CONFIG = SteeringConfig(prompt=PROMPT, max_new_tokens=16, seed=3)


def direction(seed: int = 0, **values: object) -> FeatureEdit:
    vector = np.random.default_rng(seed).normal(size=128).astype(np.float32)
    base: dict[str, object] = {
        "layer": 2, "hook_type": "residual", "direction_D": vector, "coefficient": 20.0,
        "unit": "activation",
    }  # fmt: skip
    return FeatureEdit(**{**base, **values})  # type: ignore[arg-type]


def changed(**values: object) -> SteeringConfig:
    return dataclasses.replace(CONFIG, **values)  # type: ignore[arg-type]


def test_a_coefficient_of_zero_leaves_the_text_identical(glass: LoadedModel) -> None:
    result = generate_comparison(glass, [direction(coefficient=0.0)], CONFIG)
    assert result.steered_text == result.unsteered_text
    assert result.metrics.first_divergence is None
    assert result.metrics.kl_mean < 1e-6
    assert result.metrics.word_overlap == 1
    assert result.metrics.similarity == pytest.approx(1)
    assert result.proof.mean_delta_norm == 0


def test_steering_changes_the_text_and_says_how_much(glass: LoadedModel) -> None:
    result = generate_comparison(glass, [direction()], CONFIG)
    assert result.steered_text != result.unsteered_text
    assert result.metrics.kl_mean > 0.01
    assert result.metrics.kl_p95 >= result.metrics.kl_mean
    assert result.metrics.perplexity_steered > 1
    assert result.proof.mean_delta_norm == pytest.approx(20, rel=1e-4)
    assert result.proof.deltas_in_activation_units == [20.0]
    assert len(result.steered_tokens) == 16
    # Start token unsteered, the prompt's tokens steered, and all generated but the last read.
    assert result.prompt_steered == [False] + [True] * (len(result.prompt_tokens) - 1)
    assert result.proof.prompt_positions_touched == len(result.prompt_tokens) - 1
    assert result.proof.positions_touched == len(result.prompt_tokens) - 1 + 15


def test_the_unsteered_text_does_not_depend_on_the_steering(glass: LoadedModel) -> None:
    texts = {
        generate_comparison(glass, [direction(seed, coefficient=c)], CONFIG).unsteered_text
        for seed, c in ((0, 20.0), (1, -40.0), (2, 0.0))
    }
    assert len(texts) == 1


def test_the_same_seed_gives_the_same_text_and_another_one_another(glass: LoadedModel) -> None:
    one, two = (generate_comparison(glass, [direction()], CONFIG) for _ in range(2))
    assert one.steered_text == two.steered_text
    other = generate_comparison(glass, [direction()], changed(seed=4))
    assert other.unsteered_text != one.unsteered_text


def test_greedy_is_the_models_own_greedy_text(glass: LoadedModel) -> None:
    result = generate_comparison(glass, [direction()], changed(temperature=0.0))
    ids = torch.tensor([[3, *glass.tokenizer(PROMPT).input_ids]])
    expected = glass.model.generate(
        ids, max_new_tokens=16, do_sample=False, pad_token_id=0, eos_token_id=3
    )
    found = [token.token_id for token in result.unsteered_tokens]
    assert found == expected[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize("edit", [direction(), direction(unit="norm", coefficient=0.4)])
def test_cached_and_uncached_logits_agree(glass: LoadedModel, edit: FeatureEdit) -> None:
    logits, positions = [], []
    for use_cache in (True, False):
        config = changed(use_cache=use_cache)
        hooks = [
            SteeringHook(place, Proof(), counts_positions=True)
            for place in resolve_places(glass, [edit])
        ]
        prompt_ids = encode_prompt(glass, config)
        run = _Generation(glass, config, hooks, prompt_ids, None, None)
        with (
            torch.inference_mode(),
            hooked(glass.model, [(h.place.point, h.edit()) for h in hooks]),
        ):
            run.generate()
        logits.append(torch.stack(run.branches[1].logits))
        positions.append(hooks[0].proof.positions)
    torch.testing.assert_close(logits[0], logits[1], atol=1e-4, rtol=0)
    assert positions[0] == positions[1]


def test_hooks_are_gone_afterwards_also_after_an_error(glass: LoadedModel) -> None:
    ids = torch.arange(6)[None]
    clean = glass.model(ids).logits
    generate_comparison(glass, [direction()], CONFIG)

    def fail(_: TokenEvent) -> None:
        raise RuntimeError("reader left")

    with pytest.raises(RuntimeError, match="reader left"):
        generate_comparison(glass, [direction()], CONFIG, on_token=fail)
    assert torch.equal(glass.model(ids).logits, clean)


def test_the_delta_lands_at_the_masked_positions_only(glass: LoadedModel) -> None:
    edits = [direction(0), direction(1, coefficient=5.0), direction(2, unit="norm")]
    place = resolve_places(glass, [*edits[:2], dataclasses.replace(edits[2], coefficient=0.5)])[0]
    hook = SteeringHook(place, Proof(), counts_positions=True)
    ids = torch.arange(10).reshape(2, 5) + 10
    hook.mask_BS = torch.zeros(2, 5, dtype=torch.bool)
    hook.mask_BS[1, 2:4] = True
    with hooked(glass.model, [(place.point, hook.edit())]):
        after = capture(glass, ids, [place.point])[place.point]
    before = capture(glass, ids, [place.point])[place.point]
    units = [e.direction_D / np.linalg.norm(e.direction_D) for e in edits]
    fixed = torch.from_numpy(20 * units[0] + 5 * units[1])
    norms = before[1, 2:4].norm(dim=1, keepdim=True)
    expected = before.clone()
    expected[1, 2:4] += fixed + norms * 0.5 * torch.from_numpy(units[2])
    torch.testing.assert_close(after, expected, atol=1e-4, rtol=1e-4)


def test_units(glass: LoadedModel, sae_path: Path) -> None:
    edit = feature_edit(sae_path, 7, 2, "residual", 2.0, "max", 6.0)
    result = generate_comparison(glass, [edit], CONFIG)
    assert result.proof.mean_delta_norm == pytest.approx(12, rel=1e-4)
    assert result.proof.deltas_in_activation_units == [12.0]
    share = dataclasses.replace(edit, unit="norm", coefficient=0.25)
    result = generate_comparison(glass, [share], CONFIG)
    assert result.proof.mean_delta_norm_ratio == pytest.approx(0.25, rel=1e-4)
    assert result.proof.deltas_in_activation_units == []


def test_latents_are_read_along_the_steered_text(glass: LoadedModel, sae_path: Path) -> None:
    edit = feature_edit(sae_path, 7, 2, "residual", 1.0, "max", 6.0)
    result = generate_comparison(glass, [edit], CONFIG)
    ids = [3, *glass.tokenizer(PROMPT).input_ids, *[t.token_id for t in result.steered_tokens]]
    point = resolve_hook_point(glass.model, 2, "residual")
    state = capture(glass, torch.tensor([ids]), [point])[point][0, -1]
    assert edit.encoder_D is not None
    assert edit.center_D is not None
    expected = torch.relu(
        (state - torch.from_numpy(edit.center_D)) @ torch.from_numpy(edit.encoder_D)
        + edit.encoder_bias
    )
    assert result.steered_tokens[-1].activations[0] == pytest.approx(expected.item(), abs=1e-3)


def test_logprobs_and_perplexity_are_the_unsteered_models(glass: LoadedModel) -> None:
    result = generate_comparison(glass, [direction()], CONFIG)
    prompt = [3, *glass.tokenizer(PROMPT).input_ids]
    steered = [t.token_id for t in result.steered_tokens]
    logits = glass.model(torch.tensor([[*prompt, *steered]])).logits[0, len(prompt) - 1 : -1]
    logprobs = torch.log_softmax(logits, -1)[torch.arange(16), steered]
    assert [t.base_logprob for t in result.steered_tokens] == pytest.approx(
        logprobs.tolist(), abs=1e-4
    )
    assert result.metrics.perplexity_steered == pytest.approx(
        math.exp(-logprobs.mean().item()), rel=1e-4
    )
    same = [t.logprob - t.base_logprob for t in result.unsteered_tokens]
    assert same == pytest.approx([0.0] * 16, abs=1e-4)


def test_tokens_arrive_as_they_are_chosen_and_can_be_stopped(glass: LoadedModel) -> None:
    events: list[TokenEvent] = []
    answers = iter([False] * 5 + [True])
    result = generate_comparison(
        glass, [direction()], CONFIG, on_token=events.append, should_stop=lambda: next(answers)
    )
    assert result.stopped
    assert len(result.steered_tokens) == 5
    steered = [e for e in events if e.branch == "steered"]
    assert "".join(e.text for e in steered) == result.steered_text
    assert [e.index for e in steered] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("ends_first", ["steered", "unsteered"])
def test_a_text_that_ends_before_the_other_lets_it_go_on(
    glass: LoadedModel, monkeypatch: pytest.MonkeyPatch, ends_first: str, use_cache: bool
) -> None:
    config = changed(use_cache=use_cache)
    whole = generate_comparison(glass, [direction()], config)
    texts = {"unsteered": whole.unsteered_tokens, "steered": whole.steered_tokens}
    ids = {name: [token.token_id for token in tokens] for name, tokens in texts.items()}
    other = "unsteered" if ends_first == "steered" else "steered"
    # A token that only one of the texts has, made the end of a text.
    end = next(place for place, i in enumerate(ids[ends_first]) if i not in ids[other])
    monkeypatch.setattr(glass.model.generation_config, "eos_token_id", ids[ends_first][end])
    ended = generate_comparison(glass, [direction()], config)
    short, long = ended.unsteered_tokens, ended.steered_tokens
    if ends_first == "steered":
        short, long = long, short
    assert [token.token_id for token in short] == ids[ends_first][: end + 1]
    assert [token.token_id for token in long] == ids[other]
    assert [token.kl for token in long] == pytest.approx(
        [token.kl for token in texts[other]], abs=1e-5
    )
    # Neither an end nor what fills the place of the ended text is steered or counted.
    n_steered = len(ended.steered_tokens)
    assert ended.proof.positions_touched == len(ended.prompt_tokens) - 1 + n_steered - 1


def test_positions_can_be_limited(glass: LoadedModel) -> None:
    only_new = generate_comparison(glass, [direction()], changed(steer_prompt=False))
    assert only_new.proof.prompt_positions_touched == 0
    assert only_new.proof.positions_touched == 15
    # The first token is chosen before anything was steered.
    assert only_new.steered_tokens[0].token_id == only_new.unsteered_tokens[0].token_id
    assert only_new.steered_tokens[0].kl < 1e-6
    everything = generate_comparison(glass, [direction()], changed(exclude_special=False))
    assert all(everything.prompt_steered)


def test_zero_touched_positions_are_an_error(glass: LoadedModel) -> None:
    with pytest.raises(NoEffect, match="No position"):
        generate_comparison(glass, [direction()], changed(steer_prompt=False, max_new_tokens=1))


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([], "at least one feature"),
        ([direction(direction_D=np.zeros(128, np.float32))], "zero or not finite"),
        ([direction(direction_D=np.full(128, np.nan, np.float32))], "zero or not finite"),
        ([direction(direction_D=np.ones(64, np.float32))], "needs \\(128,\\)"),
        ([direction(coefficient=math.inf)], "finite number"),
        ([direction(unit="volts")], "not one of"),
        ([direction(unit="max")], "largest activation"),
        ([direction(feature=4), direction(1, feature=4)], "listed twice"),
    ],
)
def test_unusable_edits_are_refused(
    glass: LoadedModel, edits: list[FeatureEdit], words: str
) -> None:
    with pytest.raises(SteeringInvalid, match=words):
        generate_comparison(glass, edits, CONFIG)


def test_other_refusals(glass: LoadedModel, sae_path: Path) -> None:
    with pytest.raises(HookPointNotFound):
        generate_comparison(glass, [direction(layer=9)], CONFIG)
    with pytest.raises(SteeringInvalid, match="exceed the 128 tokens"):
        generate_comparison(glass, [direction()], changed(max_new_tokens=200))
    with pytest.raises(SteeringInvalid, match="no chat template"):
        generate_comparison(glass, [direction()], changed(use_chat_template=True))
    with pytest.raises(SteeringInvalid, match="features 0 to 511"):
        feature_edit(sae_path, 512, 2, "residual", 1.0)


def test_a_chat_template_wraps_the_prompt(glass: LoadedModel) -> None:
    template = "{% for m in messages %}<bos>{{ m.content }}{% endfor %}<eos>"
    glass.tokenizer.chat_template = template
    try:
        ids = encode_prompt(glass, changed(use_chat_template=True))
    finally:
        glass.tokenizer.chat_template = None
    assert (ids[0], ids[-1]) == (2, 3)


def test_sampling_rules() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, 3.0])
    plain = sampling_probabilities(logits, changed(temperature=1.0))
    torch.testing.assert_close(plain, torch.softmax(logits.double(), 0))
    two = sampling_probabilities(logits, changed(temperature=1.0, top_k=2))
    assert (two > 0).tolist() == [False, False, True, True]
    # The likeliest alone has 0.64, with the next 0.88: both are needed for 0.7.
    nucleus = sampling_probabilities(logits, changed(temperature=1.0, top_p=0.7))
    assert (nucleus > 0).tolist() == [False, False, True, True]
    assert nucleus.sum().item() == pytest.approx(1)
    assert pick(torch.tensor([0.2, 0.0, 0.8, 0.0]).double(), 0.1) == 0
    assert pick(torch.tensor([0.2, 0.0, 0.8, 0.0]).double(), 0.2) == 2
    assert pick(torch.tensor([0.2, 0.0, 0.8, 0.0]).double(), 1.0) == 2
    assert penalise(torch.tensor([2.0, -2.0, 1.0]), [0, 1, 1], 2.0).tolist() == [1.0, -4.0, 1.0]
    assert Sampler(changed(temperature=0.0, repetition_penalty=3.0)).choose(logits, [3]) == 2


def test_text_measures_by_hand() -> None:
    assert word_overlap("The cat sat", "the dog sat.") == pytest.approx(2 / 4)
    assert word_overlap("", "...") == 1
    assert distinct_2("a b a b") == pytest.approx(2 / 3)
    assert distinct_2("one") == 1
    assert first_divergence([1, 2, 3], [1, 5, 3]) == 1
    assert first_divergence([1, 2], [1, 2, 3]) == 2
    assert first_divergence([1], [1]) is None
