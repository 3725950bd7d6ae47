"""The loop: it learns, stops, saves, resumes to the bit, and refuses what cannot be right."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.ml.activation_extraction import ActivationStore
from app.ml.configs import ConfigInvalid, TrainingHyperparameters
from app.ml.errors import (
    CheckpointInvalid,
    CheckpointMismatch,
    InvalidActivations,
    TrainingDiverged,
)
from app.ml.records import CheckpointInfo, StepMetrics, TrainingOutcome
from app.ml.sae_training import list_checkpoints, load_sae, train, verify_checkpoint
from app.ml.sae_training.batches import ShuffledBatches
from app.ml.sae_training.weights import Weights, fold, initialise, measure_normalisation
from tests.ml.conftest import StoreOf, ignore


def settings(**values: Any) -> TrainingHyperparameters:
    base = {"d_sae": 48, "k": 4, "batch_size": 128, "training_steps": 60, "precision": "float32"}
    return TrainingHyperparameters.from_dict({**base, **values})


def run(
    store: ActivationStore, path: Path, config: TrainingHyperparameters, **options: Any
) -> TrainingOutcome:
    defaults: dict[str, Any] = {
        "report": ignore, "should_stop": lambda: None, "on_checkpoint": ignore
    }  # fmt: skip
    return train(store, 0, "residual", "sparse", config, path, **{**defaults, **options})


def gaussian_rows(n: int = 3000, d: int = 12) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.normal(size=(n, d)) @ random.normal(size=(d, d)) + 5


def stop_at(step: int) -> tuple[Callable[[StepMetrics], None], Callable[[], str | None]]:
    seen = [0]

    def stop() -> str | None:
        seen[0] += 1
        return "pause" if seen[0] >= step else None

    return ignore, stop


@pytest.mark.parametrize(
    "extra",
    [
        {"activation": "topk"},
        {"activation": "topk", "dead_window_tokens": 300},
        {"activation": "relu"},
        {"activation": "topk", "optimizer": "adamw", "weight_decay": 0.01},
        {"activation": "topk", "optimizer": "sgd", "learning_rate": 0.1},
        {"activation": "topk", "precision": "bfloat16"},
    ],
    ids=lambda e: "-".join(str(v) for v in e.values()),
)
def test_200_steps_equal_100_and_resume_and_100_to_the_bit(
    tmp_path: Path, store_of: StoreOf, extra: dict[str, Any]
) -> None:
    store = store_of(gaussian_rows())
    config = settings(training_steps=200, log_every=1, **extra)
    straight: list[StepMetrics] = []
    whole = run(store, tmp_path / "a", config, report=straight.append)
    first: list[StepMetrics] = []
    _, stop = stop_at(100)
    half = run(store, tmp_path / "b", config, report=first.append, should_stop=stop)
    assert (half.status, half.reason, half.step) == ("stopped", "pause", 100)
    resumed = run(
        store, tmp_path / "b", config, report=first.append, resume_from=half.checkpoint.path
    )
    assert (resumed.status, resumed.step) == ("completed", 200)
    assert [m.loss for m in first] == [m.loss for m in straight]
    assert [m.dead_latents for m in first] == [m.dead_latents for m in straight]
    for name in ("sae", "state", "optimizer"):
        one = load_file(whole.checkpoint.path / f"{name}.safetensors")
        two = load_file(resumed.checkpoint.path / f"{name}.safetensors")
        assert one.keys() == two.keys()
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_it_recovers_a_known_dictionary(tmp_path: Path, store_of: StoreOf) -> None:
    """Sparse sums of 32 known directions: every one must be found again."""
    random = np.random.default_rng(0)
    truth = random.normal(size=(32, 16))
    truth /= np.linalg.norm(truth, axis=1, keepdims=True)
    active = np.argsort(random.random((40_000, 32)), axis=1)[:, :3]
    amounts = random.uniform(1, 2, size=(40_000, 3))
    rows = np.einsum("nk,nkd->nd", amounts, truth[active])
    config = settings(
        d_sae=48, k=3, batch_size=256, training_steps=600, learning_rate=5e-3,
        dead_window_tokens=20_000,
    )  # fmt: skip
    outcome = run(store_of(rows), tmp_path / "c", config)
    found = load_sae(outcome.checkpoint.path).W_dec_FD.numpy()
    best = (truth @ found.T).max(axis=1)
    assert best.mean() >= 0.9
    assert outcome.checkpoint.explained_variance > 0.9


def test_reported_points(tmp_path: Path, store_of: StoreOf) -> None:
    metrics: list[StepMetrics] = []
    run(store_of(gaussian_rows()), tmp_path, settings(log_every=25), report=metrics.append)
    assert [m.step for m in metrics] == [1, 25, 50, 60]
    assert all(m.tokens_seen == m.step * 128 and m.tokens_per_second > 0 for m in metrics)
    assert metrics[-1].loss < metrics[0].loss
    assert metrics[-1].loss == metrics[-1].reconstruction_loss + metrics[-1].auxiliary_loss
    assert metrics[-1].l0 <= 4
    assert metrics[-1].memory_bytes > 0


def test_checkpoints_are_kept_by_rule(tmp_path: Path, store_of: StoreOf) -> None:
    told: list[CheckpointInfo] = []
    wanted = iter([False] * 14 + [True] + [False] * 100)
    outcome = run(
        store_of(gaussian_rows()), tmp_path, settings(checkpoint_every=10, keep_checkpoints=2),
        on_checkpoint=told.append, should_save=lambda: next(wanted),
    )  # fmt: skip
    assert [(c.step, c.reason) for c in told] == [
        (10, "interval"), (15, "request"), (20, "interval"), (30, "interval"), (40, "interval"),
        (50, "interval"), (60, "final"),
    ]  # fmt: skip
    assert [p.name for c in told for p in c.removed] == ["step_10", "step_20", "step_30"]
    assert [c.step for c in list_checkpoints(tmp_path)] == [15, 40, 50, 60]
    assert outcome.checkpoint == told[-1]
    assert all(c.size_bytes > 0 for c in told)


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path, store_of: StoreOf) -> None:
    store = store_of(gaussian_rows())
    done = run(store, tmp_path, settings())
    before = load_file(done.checkpoint.path / "sae.safetensors")
    again = run(store, tmp_path, settings(), resume_from=done.checkpoint.path)
    assert (again.status, again.step) == ("completed", 60)
    after = load_file(again.checkpoint.path / "sae.safetensors")
    assert all(torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("name", ["sae", "state", "optimizer"])
def test_damaged_checkpoints_are_refused(tmp_path: Path, store_of: StoreOf, name: str) -> None:
    store = store_of(gaussian_rows())
    path = run(store, tmp_path, settings()).checkpoint.path
    verify_checkpoint(path)
    file = path / f"{name}.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(CheckpointInvalid, match=f"{name}.safetensors"):
        run(store, tmp_path, settings(), resume_from=path)
    file.unlink()
    with pytest.raises(CheckpointInvalid, match="missing"):
        verify_checkpoint(path)


def test_unfinished_and_foreign_folders_are_refused(tmp_path: Path, store_of: StoreOf) -> None:
    with pytest.raises(CheckpointInvalid, match="no finished checkpoint"):
        verify_checkpoint(tmp_path)
    path = run(store_of(gaussian_rows()), tmp_path, settings()).checkpoint.path
    metadata = json.loads((path / "metadata.json").read_text())
    (path / "metadata.json").write_text(json.dumps({**metadata, "format": "other"}))
    with pytest.raises(CheckpointInvalid, match="this version"):
        verify_checkpoint(path)


@pytest.mark.parametrize(
    ("change", "word"), [({"seed": 5}, "hyperparameters"), ({"d_sae": 64}, "d_sae")]
)
def test_checkpoints_of_another_run_are_refused(
    tmp_path: Path, store_of: StoreOf, change: dict[str, int], word: str
) -> None:
    store = store_of(gaussian_rows())
    path = run(store, tmp_path, settings()).checkpoint.path
    with pytest.raises(CheckpointMismatch, match=word):
        run(store, tmp_path, settings(**change), resume_from=path)
    longer = run(store, tmp_path, settings(training_steps=70), resume_from=path)
    assert longer.step == 70


def test_nan_activations_and_exploding_losses(tmp_path: Path, store_of: StoreOf) -> None:
    rows = gaussian_rows()
    with pytest.raises(TrainingDiverged, match="smaller learning rate"):
        run(
            store_of(rows, name="sound"), tmp_path / "a",
            settings(
                optimizer="sgd", learning_rate=1.0, gradient_clip=0, activation="relu",
                l1_coefficient=10.0, warmup_steps=0, training_steps=500,
            ),
        )  # fmt: skip
    rows[7, 3] = np.nan
    with pytest.raises(InvalidActivations, match="NaN"):
        run(store_of(rows, name="nan"), tmp_path / "b", settings())


def test_impossible_requests(tmp_path: Path, store_of: StoreOf) -> None:
    store = store_of(gaussian_rows())
    with pytest.raises(ConfigInvalid, match="latents"):
        run(store, tmp_path, settings(d_sae=None, expansion_factor=1, k=13))
    with pytest.raises(InvalidActivations, match="no training rows"):
        run(store_of(gaussian_rows(), n_train=0, name="empty"), tmp_path, settings())


def test_every_row_comes_once_per_epoch_and_batches_depend_on_the_step(store_of: StoreOf) -> None:
    store = store_of(gaussian_rows(100))
    rows = store.rows(0, "residual")
    batches = ShuffledBatches(rows, 100, 30, seed=1)
    chain = np.concatenate([batches.row_numbers(step) for step in range(10)])
    for epoch in range(3):
        assert sorted(chain[epoch * 100 : epoch * 100 + 100]) == list(range(100))
    assert chain[:100].tolist() != chain[100:200].tolist()
    fresh = ShuffledBatches(rows, 100, 30, seed=1)
    assert fresh.row_numbers(7).tolist() == batches.row_numbers(7).tolist()
    assert torch.equal(fresh.batch(7), rows.gather(chain[210:240]))
    other = ShuffledBatches(rows, 100, 30, seed=2)
    assert other.row_numbers(0).tolist() != batches.row_numbers(0).tolist()
    big = ShuffledBatches(rows, 100, 250, seed=1).row_numbers(0)
    assert np.bincount(big, minlength=100).tolist() <= [3] * 100


def test_normalisation_and_folding(store_of: StoreOf) -> None:
    """Folded weights act on original activations as the raw ones do on normalised ones."""
    rows = store_of(gaussian_rows()).rows(0, "residual").slice(0, 3000)
    normalisation = measure_normalisation(rows)
    x = normalisation.apply(rows)
    torch.testing.assert_close(x.mean(0), torch.zeros(12), atol=1e-5, rtol=0)
    assert x.square().mean().item() == pytest.approx(1, abs=1e-5)
    weights = Weights(12, 48)
    initialise(weights, x, settings())
    weights.b_enc_F.copy_(torch.randn(48))
    weights.b_dec_D.copy_(torch.randn(12))
    torch.testing.assert_close(weights.W_dec_FD.norm(dim=1), torch.ones(48))
    folded = fold(weights, normalisation)
    latents = torch.relu((x - weights.b_dec_D) @ weights.W_enc_FD.T + weights.b_enc_F)
    output = (latents @ weights.W_dec_FD + weights.b_dec_D) / normalisation.scale
    output = output + normalisation.mean_D
    pre = (rows - folded["b_dec_D"]) @ folded["W_enc_DF"] + folded["b_enc_F"]
    again = torch.relu(pre) @ folded["W_dec_FD"] + folded["b_dec_D"]
    torch.testing.assert_close(again, output, atol=1e-3, rtol=1e-4)


def test_a_loaded_dictionary_encodes_as_documented(tmp_path: Path, store_of: StoreOf) -> None:
    store = store_of(gaussian_rows())
    x = store.rows(0, "residual").slice(0, 200)
    for activation in ("topk", "relu"):
        path = run(store, tmp_path / activation, settings(activation=activation)).checkpoint.path
        sae = load_sae(path / "sae.safetensors")
        latents = sae.encode(x)
        pre = (x - sae.b_dec_D) @ sae.W_enc_DF + sae.b_enc_F
        expected = torch.relu(pre)
        if activation == "topk":
            kept = expected.topk(4, dim=1)
            expected = torch.zeros_like(pre).scatter_(1, kept.indices, kept.values)
            assert (latents > 0).sum(1).max() <= 4
        torch.testing.assert_close(latents, expected, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(sae(x), sae.decode(latents), atol=1e-4, rtol=1e-4)
        active = sae.encode_active(x)
        dense = torch.zeros_like(latents)
        dense[active.rows, active.latents] = active.values
        torch.testing.assert_close(dense, latents, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(sae.decode_active(active, 200), sae(x), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(sae.W_dec_FD.norm(dim=1), torch.ones(48))


def test_bfloat16_selection_gives_float32_values(sae_path: Path, store: ActivationStore) -> None:
    sae, x = load_sae(sae_path), store.rows(2, "residual").slice(0, 2000)
    exact, fast = sae.encode_active(x), sae.encode_active(x, torch.bfloat16)
    one, two = torch.zeros(2000, sae.d_sae), torch.zeros(2000, sae.d_sae)
    one[exact.rows, exact.latents] = exact.values
    two[fast.rows, fast.latents] = fast.values
    same = (one > 0) == (two > 0)
    assert same.float().mean() > 0.9999
    torch.testing.assert_close(one[same], two[same], atol=1e-3, rtol=1e-3)


def test_dictionaries_refuse_what_they_cannot_read(tmp_path: Path, sae_path: Path) -> None:
    sae = load_sae(sae_path)
    with pytest.raises(InvalidActivations, match="width 128, not 64"):
        sae.encode(torch.zeros(2, 64))
    with pytest.raises(InvalidActivations, match="NaN"):
        sae.encode(torch.full((2, 128), float("nan")))
    with pytest.raises(CheckpointInvalid, match="no readable dictionary"):
        load_sae(tmp_path)
    shutil.copytree(sae_path, tmp_path / "copy")
    file = tmp_path / "copy" / "sae.safetensors"
    tensors = load_file(file)
    save_file({**tensors, "b_enc_F": torch.zeros(3)}, file)
    with pytest.raises(CheckpointInvalid, match="b_enc_F has shape"):
        load_sae(tmp_path / "copy")
    tensors.pop("b_enc_F")
    save_file(tensors, file)
    with pytest.raises(CheckpointInvalid, match="lacks b_enc_F"):
        load_sae(tmp_path / "copy")
