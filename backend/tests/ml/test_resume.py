"""200 steps equal 100, a checkpoint, and 100 more, to the bit, for everything that trains."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from app.ml.activation_extraction import ActivationStore
from app.ml.configs import ACTIVATIONS, ENCODER_TYPES, TrainingHyperparameters
from app.ml.records import StepMetrics, TrainingOutcome
from app.ml.sae_training import train
from tests.ml.conftest import StoreOf, ignore

EXTRAS: dict[str, dict[str, Any]] = {
    "adamw": {"optimizer": "adamw", "weight_decay": 0.01, "adam_beta1": 0.5},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.1},
    "bfloat16": {"precision": "bfloat16"},
    "matryoshka": {"activation": "batchtopk", "matryoshka_sizes": [4, 12]},
    "parts": {"activation": "batchtopk", "gradient_accumulation": 2},
    "no dead": {"dead_window_tokens": 10**6, "data_seed": 7},
}


def store_for(store_of: StoreOf) -> ActivationStore:
    random = np.random.default_rng(0)
    x = random.normal(size=(900, 8)) @ random.normal(size=(8, 8)) + 5
    y = np.maximum(x @ random.normal(size=(8, 8)), 0)
    return store_of({"residual": x, "mlp_input": x, "mlp": y}, n_train=600)


def settings(**values: Any) -> TrainingHyperparameters:
    return TrainingHyperparameters.from_dict(
        {"d_sae": 24, "k": 3, "batch_size": 16, "training_steps": 200, "log_every": 20,
         "checkpoint_every": 100, "l1_coefficient": 0.02, "precision": "float32",
         "dead_window_tokens": 200, "learning_rate": 3e-3, **values}
    )  # fmt: skip


def run(
    store: ActivationStore,
    path: Path,
    encoder_type: str,
    config: TrainingHyperparameters,
    points: list[StepMetrics],
    *,
    stop_after: int = 10**9,
    resume_from: Path | None = None,
) -> TrainingOutcome:
    asked = itertools.count(1)
    return train(
        store,
        0,
        "mlp_input" if encoder_type == "transcoder" else "residual",
        encoder_type,
        config,
        path,
        report=points.append,
        should_stop=lambda: "pause" if next(asked) >= stop_after else None,
        on_checkpoint=ignore,
        resume_from=resume_from,
    )


def assert_same(one: TrainingOutcome, two: TrainingOutcome) -> None:
    assert (one.status, one.step) == (two.status, two.step) == ("completed", 200)
    assert one.checkpoint.quality == two.checkpoint.quality
    for name in ("sae", "state", "optimizer"):
        left = load_file(one.checkpoint.path / f"{name}.safetensors")
        right = load_file(two.checkpoint.path / f"{name}.safetensors")
        assert left.keys() == right.keys()
        assert all(torch.equal(left[key], right[key]) for key in left), name


def assert_same_points(one: list[StepMetrics], two: list[StepMetrics]) -> None:
    assert [m.step for m in one] == [m.step for m in two]
    assert [m.loss for m in one] == [m.loss for m in two]
    assert [m.dead_latents for m in one] == [m.dead_latents for m in two]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("encoder_type", ENCODER_TYPES)
def test_every_encoder_and_activation(
    tmp_path: Path, store_of: StoreOf, encoder_type: str, activation: str
) -> None:
    store = store_for(store_of)
    config = settings(activation=activation, skip=encoder_type == "transcoder")
    points: list[StepMetrics] = []
    again: list[StepMetrics] = []
    straight = run(store, tmp_path / "a", encoder_type, config, points)
    half = tmp_path / "a" / "step_100"
    resumed = run(store, tmp_path / "b", encoder_type, config, again, resume_from=half)
    assert_same(straight, resumed)
    assert_same_points([m for m in points if m.step > 100], again)
    assert points[-1].explained_variance > points[0].explained_variance


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_setting_with_a_state_of_its_own(
    tmp_path: Path, store_of: StoreOf, extra: str
) -> None:
    """Here the first half really stops, as a pause does."""
    store, config = store_for(store_of), settings(**EXTRAS[extra])
    points: list[StepMetrics] = []
    parted: list[StepMetrics] = []
    straight = run(store, tmp_path / "a", "sparse", config, points)
    half = run(store, tmp_path / "b", "sparse", config, parted, stop_after=100)
    assert (half.status, half.step, half.reason) == ("stopped", 100, "pause")
    path = half.checkpoint.path
    resumed = run(store, tmp_path / "b", "sparse", config, parted, resume_from=path)
    assert_same(straight, resumed)
    assert_same_points(points, parted)
