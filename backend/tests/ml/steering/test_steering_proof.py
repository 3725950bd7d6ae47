"""Steering provably acts: a planted behaviour comes and goes with its direction, and no other."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.ml.configs import SteeringConfig
from app.ml.language_models import LoadedModel, import_language_model, load_language_model
from app.ml.steering import FeatureEdit, feature_edit, generate_comparison
from tests.ml.conftest import GLASS, ignore
from tests.ml.planted_behaviour import (
    ACTIVATIONS,
    CAUSE,
    EFFECT,
    LAYER,
    STRENGTH,
    WIDTH,
    plant,
    planted_dictionary,
    planted_transcoder,
)

CONFIG = SteeringConfig(prompt="Alice was beginning to", max_new_tokens=8, seed=3)


def edit_of(kind: str, method: str, coefficient: float, *, skip: bool = False) -> FeatureEdit:
    """The planted feature of a dictionary of this kind."""
    is_transcoder = kind == "transcoder"
    dictionary = planted_transcoder(skip=skip) if is_transcoder else (
        planted_dictionary(kind, skip=skip)
    )  # fmt: skip
    return feature_edit(
        dictionary, 0, LAYER, "mlp_input" if is_transcoder else "residual", coefficient,
        "activation", STRENGTH, method=method, target_hook_type="mlp" if is_transcoder else None,
    )  # fmt: skip


def n_effects(model: LoadedModel, edit: FeatureEdit) -> tuple[int, int]:
    """How often the unsteered and the steered text say the planted token."""
    result = generate_comparison(model, [edit], CONFIG)
    one, two = (
        sum(token.token_id == EFFECT for token in text.tokens)
        for text in (result.unsteered, result.steered)
    )
    return one, two


def next_tokens(model: LoadedModel, edit: FeatureEdit) -> tuple[int, int]:
    """What follows the cause, unsteered and steered."""
    cause = model.tokenizer.decode([CAUSE])
    config = replace(CONFIG, prompt=CONFIG.prompt + cause, max_new_tokens=1, temperature=0.0)
    result = generate_comparison(model, [edit], config)
    assert result.prompt_ids[-1] == CAUSE
    return result.unsteered.tokens[0].token_id, result.steered.tokens[0].token_id


def elsewhere(edit: FeatureEdit) -> FeatureEdit:
    """The same edit along a random direction of the same norm."""
    drawn_D = torch.randn(WIDTH, generator=torch.Generator().manual_seed(0))
    return replace(
        edit, direction_D=drawn_D / drawn_D.norm() * edit.direction_D.norm(), feature=None
    )


KINDS = [
    *((kind, skip) for kind in ACTIVATIONS for skip in (False, True)),
    ("transcoder", False),
    ("transcoder", True),
]


@pytest.mark.parametrize(("kind", "skip"), KINDS)
def test_the_planted_behaviour_is_raised_and_removed(
    planted: LoadedModel, planted_mlp: LoadedModel, kind: str, skip: bool
) -> None:
    model = planted_mlp if kind == "transcoder" else planted
    amount = STRENGTH / 6 if kind == "transcoder" else STRENGTH
    raising = edit_of(kind, "add", amount, skip=skip)
    assert n_effects(model, raising) == (0, CONFIG.max_new_tokens)
    assert n_effects(model, elsewhere(raising)) == (0, 0)
    removing = edit_of(kind, "ablate", 0.0, skip=skip)
    says, is_left_with = next_tokens(model, removing)
    assert says == EFFECT != is_left_with
    assert next_tokens(model, elsewhere(removing)) == (EFFECT, EFFECT)


@pytest.mark.parametrize("method", ["clamp", "floor"])
def test_setting_the_feature_raises_the_behaviour_too(planted: LoadedModel, method: str) -> None:
    assert n_effects(planted, edit_of("jumprelu", method, STRENGTH)) == (0, CONFIG.max_new_tokens)


@pytest.mark.parametrize("quantization", ["Q8", "Q4"])
def test_a_quantised_model_is_steered_alike(tmp_path: Path, quantization: str) -> None:
    import_language_model(GLASS, tmp_path / "m", ignore, quantization=quantization)
    model = plant(load_language_model(tmp_path / "m", dtype="float32"))
    raising = edit_of("topk", "add", STRENGTH)
    assert n_effects(model, raising) == (0, CONFIG.max_new_tokens)
    assert n_effects(model, elsewhere(raising)) == (0, 0)
    assert next_tokens(model, edit_of("topk", "ablate", 0.0))[1] != EFFECT
    nothing = generate_comparison(model, [edit_of("topk", "add", 0.0)], CONFIG)
    assert nothing.steered.text == nothing.unsteered.text
    assert nothing.proof.positions_changed == 0 < nothing.proof.positions_touched
    assert nothing.proof.first_differing_logit is None


@pytest.mark.parametrize("quantization", ["FP16", "Q8", "Q4"])
def test_several_features_at_several_layers_in_a_chat(tmp_path: Path, quantization: str) -> None:
    """All at once, on a quantised model, in its chat format: proven, and the same without cache."""
    import_language_model(GLASS, tmp_path / "m", ignore, quantization=quantization)
    model = plant(load_language_model(tmp_path / "m", dtype="float32"))
    model.tokenizer.chat_template = "{% for m in messages %}<bos>{{ m.content }}{% endfor %}<eos>"
    raising = edit_of("jumprelu", "clamp", STRENGTH)
    other = replace(elsewhere(edit_of("relu", "add", 3.0)), layer=1)
    third = replace(edit_of("topk", "scale", 0.5), feature=5)
    config = replace(CONFIG, use_chat_template=True, system_prompt="Be brief.")
    result = generate_comparison(model, [raising, other, third], config)
    # The template's last mark is special and left alone; the first token is chosen there.
    said = [token.token_id for token in result.steered.tokens]
    assert said[1:] == [EFFECT] * (CONFIG.max_new_tokens - 1)
    assert EFFECT not in [token.token_id for token in result.unsteered.tokens]
    special = set(model.special_ids)
    assert result.prompt_steered == [
        place > 0 and i not in special for place, i in enumerate(result.prompt_ids)
    ]
    assert result.proof.positions_touched == sum(result.prompt_steered) + config.max_new_tokens - 1
    plain = generate_comparison(model, [raising, other, third], replace(config, use_cache=False))
    assert plain.steered.text == result.steered.text
    assert [t.logprob for t in plain.steered.tokens] == pytest.approx(
        [t.logprob for t in result.steered.tokens], abs=1e-4
    )
