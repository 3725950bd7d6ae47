"""200 steps equal 100, a checkpoint, and 100 more, to the bit, for everything that trains."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from app.ml.activation_extraction import ActivationStore
from app.ml.configs import ACTIVATIONS, TrainingHyperparameters
from app.ml.records import StepMetrics, TrainingOutcome
from app.ml.sae_training import train
from tests.ml.conftest import StoreOf, ignore

KINDS = {
    "sparse": ("sparse", {}),
    "skip": ("skip", {}),
    "transcoder": ("transcoder", {}),
    "skip-transcoder": ("transcoder", {"skip": True}),
}
EXTRAS: dict[str, dict[str, Any]] = {
    "adamw": {"optimizer": "adamw", "weight_decay": 0.01, "adam_beta1": 0.5},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.1},
    "bfloat16": {"precision": "bfloat16"},
    "matryoshka": {"activation": "batchtopk", "matryoshka_sizes": [4, 12]},
    "parts": {"activation": "batchtopk", "gradient_accumulation": 4},
    "no dead": {"dead_window_tokens": 10**6, "data_seed": 7},
}


def store_for(store_of: StoreOf) -> ActivationStore:
    random = np.random.default_rng(0)
    x = random.normal(size=(900, 8)) @ random.normal(size=(8, 8)) + 5
    y = np.maximum(x @ random.normal(size=(8, 8)), 0)
    return store_of({"residual": x, "mlp_input": x, "mlp": y}, n_train=600)


def assert_resumes_exactly(
    store: ActivationStore, path: Path, encoder_type: str, values: dict[str, Any]
) -> None:
    config = TrainingHyperparameters.from_dict(
        {"d_sae": 24, "k": 3, "batch_size": 16, "training_steps": 200, "log_every": 20,
         "l1_coefficient": 0.02, "precision": "float32", "dead_window_tokens": 200,
         "learning_rate": 3e-3, **values}
    )  # fmt: skip
    hook_type = "mlp_input" if encoder_type == "transcoder" else "residual"

    def run(folder: str, seen: list[StepMetrics], steps: int, **options: Any) -> TrainingOutcome:
        asked = itertools.count(1)

        def stop() -> str | None:
            return "pause" if next(asked) >= steps else None

        return train(
            store, 0, hook_type, encoder_type, config, path / folder, report=seen.append,
            should_stop=stop, on_checkpoint=ignore, **options,
        )  # fmt: skip

    straight: list[StepMetrics] = []
    parted: list[StepMetrics] = []
    whole = run("whole", straight, 10**9)
    half = run("parts", parted, 100)
    assert (half.status, half.step) == ("stopped", 100)
    rest = run("parts", parted, 10**9, resume_from=half.checkpoint.path)
    assert (rest.status, rest.step) == ("completed", 200)
    assert [m.loss for m in parted] == [m.loss for m in straight]
    assert [m.dead_latents for m in parted] == [m.dead_latents for m in straight]
    assert rest.checkpoint.quality == whole.checkpoint.quality
    for name in ("sae", "state", "optimizer"):
        one = load_file(whole.checkpoint.path / f"{name}.safetensors")
        two = load_file(rest.checkpoint.path / f"{name}.safetensors")
        assert one.keys() == two.keys()
        assert all(torch.equal(one[key], two[key]) for key in one), name
    assert straight[-1].loss < straight[0].loss


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_encoder_and_activation(
    tmp_path: Path, store_of: StoreOf, kind: str, activation: str
) -> None:
    encoder_type, values = KINDS[kind]
    assert_resumes_exactly(
        store_for(store_of), tmp_path, encoder_type, {"activation": activation, **values}
    )


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_setting_with_a_state_of_its_own(
    tmp_path: Path, store_of: StoreOf, extra: str
) -> None:
    assert_resumes_exactly(store_for(store_of), tmp_path, "sparse", EXTRAS[extra])
