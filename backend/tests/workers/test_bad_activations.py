"""Activations that cannot be trained on, through real workers: a coded sentence, nothing left."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.fixtures.stack import Prepared, Stack

pytestmark = pytest.mark.slow
NAN_AS_BFLOAT16 = 0x7FC0


@pytest.fixture(scope="module")
def places(stack: Stack, prepared: Prepared) -> dict[str, Any]:
    ids = {"model_id": prepared.model_id, "dataset_id": prepared.dataset_id}
    body = {**ids, "layers": [0], "hook_types": ["residual"], "max_tokens": 3000}
    store = stack.succeed(stack.post("/activations/extract", {**body, "dtype": "bfloat16"}))
    return {**ids, "activation_id": store, "layer": 0}


def shard_of(stack: Stack, places: dict[str, Any]) -> Path:
    folder = stack.settings.data_root / "activations"
    [shard] = [f for f in folder.rglob("shard_00000.npy") if places["activation_id"] in str(f)]
    return shard


def fill_with_nan(shard: Path) -> None:
    rows = np.load(shard, mmap_mode="r+")
    rows[:] = NAN_AS_BFLOAT16
    rows.flush()


def cut(shard: Path) -> None:
    with shard.open("r+b") as file:
        file.truncate(shard.stat().st_size // 2)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (fill_with_nan, "hold NaN or infinity; extract again"),
        (cut, "The file lies in lost+found now and its store is marked; extract the activations"),
    ],
)
def test_a_damaged_store_is_told_and_leaves_no_checkpoint(
    stack: Stack, places: dict[str, Any], damage: Callable[[Path], None], sentence: str
) -> None:
    shard = shard_of(stack, places)
    whole = shard.read_bytes()
    damage(shard)
    try:
        settings = {"d_sae": 256, "training_steps": 5, "batch_size": 256}
        created = stack.post("/trainings", {**places, "hyperparameters": settings})
        job = stack.finish(created["job_id"])
    finally:
        shard.write_bytes(whole)
    assert (job["state"], job["error_code"]) == ("failed", "STORE_INVALID")
    assert sentence in job["error_message"]
    is_marked = stack.get(f"/activations/{places['activation_id']}")["status"] == "error"
    assert is_marked is (damage is cut)  # its numbers a file cannot show by its size
    training = stack.get(f"/trainings/{created['training_id']}")
    assert training["status"] == "error"
    assert stack.get(f"/trainings/{created['training_id']}/checkpoints") == []
    folder = stack.settings.data_root / "checkpoints" / created["training_id"]
    assert not folder.exists() or not list(folder.iterdir())


def test_a_dictionary_of_another_width_is_refused(
    stack: Stack, prepared: Prepared, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    tensors = {
        "W_enc": torch.randn(64, 100), "W_dec": torch.randn(100, 64),
        "b_enc": torch.zeros(100), "b_dec": torch.zeros(64),
    }  # fmt: skip
    save_file(tensors, tmp_path / "sae_weights.safetensors")
    config = {
        "architecture": "standard", "d_in": 64, "d_sae": 100, "dtype": "float32", "device": "cpu",
        "metadata": {"hook_name": "blocks.0.hook_resid_post"},
    }  # fmt: skip
    (tmp_path / "cfg.json").write_text(json.dumps(config))
    body = {"model_id": prepared.model_id, "path": str(tmp_path), "layer": 0}
    job = stack.finish(stack.post("/saes/import", body)["job_id"])
    assert job["state"] == "failed"
    assert "64" in job["error_message"]
    assert "128" in job["error_message"]
