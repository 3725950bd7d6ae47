"""Settings that exist are valid; those that cannot be used say which field and why."""

import subprocess
import sys
from typing import Any

import pytest

from app.ml.configs import (
    Config,
    ConfigInvalid,
    DiscoveryConfig,
    ExtractionConfig,
    SteeringConfig,
    TokenizationConfig,
    TrainingHyperparameters,
    encoder_type_problems,
    field_specs,
    hook_type_problems,
    input_hook_type,
    place_of,
    target_hook_type,
    width_of,
)

VALID: list[Config] = [
    TokenizationConfig(),
    ExtractionConfig(layers=(3, 5)),
    TrainingHyperparameters(),
    DiscoveryConfig(),
    SteeringConfig(prompt="Once"),
]


def problem_fields(error: pytest.ExceptionInfo[ConfigInvalid]) -> set[str]:
    return {problem.field for problem in error.value.problems}


@pytest.mark.parametrize("config", VALID, ids=lambda c: type(c).__name__)
def test_round_trip_through_plain_types_gives_an_equal_config(config: Config) -> None:
    assert type(config).from_dict(config.to_dict()) == config


@pytest.mark.parametrize("config", VALID, ids=lambda c: type(c).__name__)
def test_every_setting_has_help(config: Config) -> None:
    assert all(spec.help for spec in field_specs(type(config)))


def test_lists_become_tuples() -> None:
    assert ExtractionConfig.from_dict({"layers": [1, 2]}).layers == (1, 2)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"k": 0}, "k"),
        ({"k": 1.5}, "k"),
        ({"k": True}, "k"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"activation": "gelu"}, "activation"),
        ({"training_steps": None}, "training_steps"),
        ({"d_sae": 16, "k": 17}, "k"),
        ({"training_steps": 10, "warmup_steps": 11}, "warmup_steps"),
        ({"nonsense": 1}, "nonsense"),
        ({"learning_rate": -1e-4}, "learning_rate"),
        ({"matryoshka_sizes": [8, 4]}, "matryoshka_sizes"),
        ({"matryoshka_sizes": [4, 4]}, "matryoshka_sizes"),
        ({"matryoshka_sizes": [4, 32], "d_sae": 16, "k": 2}, "matryoshka_sizes"),
        ({"matryoshka_sizes": [4], "activation": "relu"}, "matryoshka_sizes"),
        ({"batch_size": 100, "gradient_accumulation": 3}, "gradient_accumulation"),
    ],
)
def test_bad_hyperparameters_name_their_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(ConfigInvalid) as error:
        TrainingHyperparameters.from_dict(values)
    assert problem_fields(error) == {field}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "layers"),
        ({"layers": []}, "layers"),
        ({"layers": [-1]}, "layers"),
        ({"layers": [1, 1]}, "layers"),
        ({"layers": [1], "hook_types": []}, "hook_types"),
        ({"layers": [1], "hook_types": ["logits"]}, "hook_types"),
    ],
)
def test_bad_extractions_name_their_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(ConfigInvalid) as error:
        ExtractionConfig.from_dict(values)
    assert problem_fields(error) == {field}


def test_steering_needs_a_prompt_and_some_positions() -> None:
    with pytest.raises(ConfigInvalid, match="prompt"):
        SteeringConfig(prompt="  ")
    with pytest.raises(ConfigInvalid, match="steer"):
        SteeringConfig(prompt="a", steer_prompt=False, steer_generated=False)
    for window in [(3,), (4, 3), (1, 2, 3)]:
        with pytest.raises(ConfigInvalid, match="window"):
            SteeringConfig(prompt="a", window=window)
    assert SteeringConfig.from_dict({"prompt": "a", "window": [3, 3]}).window == (3, 3)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"training_steps": 12_800}, 4 * 2e-4),  # sixteen times as long: half as much
        ({"training_steps": 10**7}, 2e-4),  # never below the rate of the longest runs
        ({"batch_size": 1024}, 8 * 1e-4),  # a quarter of the batch: half as much
        ({"activation": "relu"}, 2e-4),
        ({"learning_rate": 0.5}, 0.5),
    ],
)
def test_learning_rate_of_short_runs(changes: dict[str, Any], expected: float) -> None:
    settings = TrainingHyperparameters(**{"training_steps": 800, "batch_size": 4096, **changes})
    assert settings.resolved_learning_rate(2**14) == pytest.approx(expected)


def test_width_dependent_values() -> None:
    settings = TrainingHyperparameters(expansion_factor=8, training_steps=800, batch_size=4096)
    assert settings.latents(576) == 4608
    assert settings.resolved_learning_rate(2**14) == pytest.approx(8 * 2e-4)
    assert settings.resolved_learning_rate(64) == pytest.approx(3e-3)  # 2.6e-2 capped
    assert settings.resolved_warmup_steps() == 40
    assert settings.resolved_dead_window_tokens() == 500_000
    assert TrainingHyperparameters(training_steps=100_000).resolved_dead_window_tokens() == 10**7
    assert settings.resolved_l1_coefficient(500) == pytest.approx(0.01)
    assert TrainingHyperparameters(k=33).width_problems(4)[0].field == "k"
    assert TrainingHyperparameters(skip=True).width_problems(8)[0].field == "skip"
    full = TrainingHyperparameters(skip_rank=8, k=1)
    assert full.width_problems(8, "skip")[0].field == "skip_rank"
    assert not full.width_problems(8, "transcoder")
    assert not settings.width_problems(576)


def test_encoder_types_that_cannot_be_trained_are_refused() -> None:
    assert not encoder_type_problems("sparse")
    assert encoder_type_problems("dense")[0].field == "encoder_type"
    assert hook_type_problems("transcoder", "residual")[0].field == "hook_type"
    assert not hook_type_problems("transcoder", "mlp_input")
    assert not hook_type_problems("skip", "attention")
    assert input_hook_type("transcoder", None) == "mlp_input"
    assert target_hook_type("transcoder", "mlp_input") == "mlp"
    assert target_hook_type("skip", "residual") == "residual"


@pytest.mark.parametrize("expansion", [2, 64])
def test_the_expansions_of_the_specification_are_accepted(expansion: int) -> None:
    settings = TrainingHyperparameters(expansion_factor=expansion)
    assert settings.latents(96) == 96 * expansion
    assert not settings.width_problems(96)


def test_other_names_of_places() -> None:
    names = {"resid_post": "residual", "attn_out": "attention", "mlp_out": "mlp", "z": "z"}
    assert {name: place_of(4, name) for name in names} == {n: (4, o) for n, o in names.items()}
    assert place_of(None, "resid_mid") == (None, "resid_mid")
    assert place_of(4, "resid_pre") == place_of(3, "resid_post") == (3, "residual")
    with pytest.raises(ValueError, match="needs a layer"):
        place_of(None, "resid_pre")
    with pytest.raises(ValueError, match="are the embeddings"):
        place_of(0, "resid_pre")


def test_widths_of_places() -> None:
    assert [width_of({"d_model": 16, "d_z": 24}, kind) for kind in ("z", "residual")] == [24, 16]
    assert width_of({"d_model": 16}, "z") == width_of({"d_model": 16, "d_z": None}, "z") == 16


def test_k_and_skip_rank_by_width() -> None:
    settings = TrainingHyperparameters()
    assert (settings.resolved_k(128), settings.resolved_k(576)) == (16, 32)
    assert settings.k_at(0.0, 576) == 128
    assert settings.k_at(0.025, 576) == 80
    assert settings.k_at(0.05, 576) == 32
    assert settings.resolved_skip_rank("sparse", 576) is None
    assert settings.resolved_skip_rank("skip", 576) == 36
    assert settings.resolved_skip_rank("transcoder", 576) is None
    assert TrainingHyperparameters(skip=True).resolved_skip_rank("transcoder", 576) == 576


def test_configs_records_and_packages_load_no_torch() -> None:
    code = (
        "import sys, app.ml.configs, app.ml.records, app.ml.errors, app.ml.sae_training, "
        "app.ml.steering, app.ml.language_models, app.ml.activation_extraction, "
        "app.ml.feature_discovery; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_lazy_packages_know_what_they_have() -> None:
    import app.ml.sae_training as package

    assert callable(package.train)
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        _ = package.missing
