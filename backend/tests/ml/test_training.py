"""The loop: it learns, reports, saves, keeps the best, and refuses what cannot be right."""

import filecmp
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from app.ml.activation_extraction import ActivationStore
from app.ml.configs import ConfigInvalid, TrainingHyperparameters
from app.ml.errors import (
    CheckpointInvalid,
    CheckpointMismatch,
    InvalidActivations,
    StoreInvalid,
    TrainingDiverged,
)
from app.ml.records import CheckpointInfo, StepMetrics, TrainingOutcome
from app.ml.sae_training import list_checkpoints, load_sae, train, verify_checkpoint
from app.ml.sae_training.batches import ShuffledBatches
from app.ml.sae_training.retention import best_of, drop_old
from tests.fixtures.small_disk import fill, small_disk
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


def test_reported_points(tmp_path: Path, store_of: StoreOf) -> None:
    metrics: list[StepMetrics] = []
    run(store_of(gaussian_rows()), tmp_path, settings(log_every=25), report=metrics.append)
    assert [m.step for m in metrics] == [1, 25, 50, 60]
    assert all(m.tokens_seen == m.step * 128 and m.tokens_per_second > 0 for m in metrics)
    assert metrics[-1].loss < metrics[0].loss
    assert metrics[-1].loss == metrics[-1].reconstruction_loss + metrics[-1].auxiliary_loss
    assert metrics[-1].l0 <= 4
    assert metrics[-1].memory_bytes > 0
    assert 0 < metrics[-1].floor_share < 2


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


def test_the_newest_recorded_checkpoint_outlives_newer_ones(
    tmp_path: Path, store_of: StoreOf
) -> None:
    """Nobody could find the newer ones after a crash, so it must not go before they are known."""
    told: list[CheckpointInfo] = []

    def recorded() -> int | None:
        steps = [info.step for info in told]
        return None if not steps else 10 if steps[-1] < 50 else 50

    run(
        store_of(gaussian_rows()), tmp_path, settings(checkpoint_every=10, keep_checkpoints=1),
        on_checkpoint=told.append, recorded=recorded,
    )  # fmt: skip
    removed = {info.step: [path.name for path in info.removed] for info in told}
    assert removed == {
        10: [], 20: [], 30: ["step_20"], 40: ["step_30"], 50: ["step_40"], 60: ["step_10"],
    }  # fmt: skip
    assert [c.step for c in list_checkpoints(tmp_path)] == [50, 60]


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path, store_of: StoreOf) -> None:
    store = store_of(gaussian_rows())
    done = run(store, tmp_path, settings())
    before = load_file(done.checkpoint.path / "sae.safetensors")
    again = run(store, tmp_path, settings(), resume_from=done.checkpoint.path)
    assert (again.status, again.step) == ("completed", 60)
    after = load_file(again.checkpoint.path / "sae.safetensors")
    assert all(torch.equal(before[key], after[key]) for key in before)


@pytest.mark.fault(12)
def test_a_disk_that_fills_leaves_the_checkpoints_before_it(
    tmp_path: Path, store_of: StoreOf
) -> None:
    store, config = store_of(gaussian_rows()), settings(checkpoint_every=20)
    whole = run(store, tmp_path / "whole", config)
    failed: list[str] = []
    with small_disk(tmp_path / "disk", 2_000_000) as disk:
        with pytest.raises((OSError, SafetensorError), match=r"No space left|os error 28"):
            run(
                store, disk, config, on_checkpoint=lambda _: fill(disk, leave_bytes=8192),
                on_save_failed=lambda: failed.append("step_40"),
            )  # fmt: skip
        assert failed == ["step_40"]
        assert [path.name for path in disk.iterdir() if path.is_dir()] == ["step_20"]
        verify_checkpoint(disk / "step_20")

        (disk / "filler").unlink()
        done = run(store, disk, config, resume_from=disk / "step_20")
        weights = "sae.safetensors"
        assert filecmp.cmp(done.checkpoint.path / weights, whole.checkpoint.path / weights, False)


@pytest.mark.fault(18)
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


@pytest.mark.fault(3)
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


def test_encoders_that_do_not_fit_the_store(tmp_path: Path, store_of: StoreOf) -> None:
    store = store_of({"residual": gaussian_rows(), "mlp_input": gaussian_rows()})
    told = {"report": ignore, "should_stop": lambda: None, "on_checkpoint": ignore}
    with pytest.raises(StoreInvalid, match="L0_mlp was not extracted"):
        train(store, 0, "mlp_input", "transcoder", settings(), tmp_path, **told)
    with pytest.raises(ConfigInvalid, match="must be mlp_input"):
        train(store, 0, "residual", "transcoder", settings(), tmp_path, **told)
    with pytest.raises(ConfigInvalid, match="does not exist"):
        train(store, 0, "residual", "dense", settings(), tmp_path, **told)
    with pytest.raises(ConfigInvalid, match="skip_rank"):
        train(store, 0, "residual", "skip", settings(skip_rank=7), tmp_path, **told)
    rows = gaussian_rows()
    rows[7, 3] = np.inf
    bad = store_of({"mlp_input": gaussian_rows(), "mlp": rows}, name="infinite")
    with pytest.raises(InvalidActivations, match="infinity"):
        train(bad, 0, "mlp_input", "transcoder", settings(), tmp_path, **told)


def test_a_transcoders_checkpoint_says_what_it_reads_and_writes(
    tmp_path: Path, store_of: StoreOf
) -> None:
    x = gaussian_rows()
    store = store_of({"mlp_input": x, "mlp": x[:, :5] * 100 + 7})
    config = settings(skip=True, activation="batchtopk", learning_rate=2e-2)
    told = {"report": ignore, "should_stop": lambda: None, "on_checkpoint": ignore}
    outcome = train(store, 0, "mlp_input", "transcoder", config, tmp_path, **told)
    found = verify_checkpoint(outcome.checkpoint.path)
    assert (found["hook_type"], found["target_hook_type"]) == ("mlp_input", "mlp")
    assert (found["d_model"], found["d_out"], found["centres_input"]) == (12, 5, False)
    assert (found["encoder_type"], found["activation"], found["k"]) == (
        "transcoder",
        "jumprelu",
        None,
    )
    sae = load_sae(outcome.checkpoint.path)
    output, target = sae(torch.from_numpy(x).float()), x[:, :5] * 100 + 7
    error = np.square(output.numpy() - target).sum()
    assert error < 0.2 * np.square(target - target.mean(0)).sum()


def test_the_best_checkpoint_on_held_out_tokens_is_kept(tmp_path: Path, store_of: StoreOf) -> None:
    """From step 20 on the learning rate only does harm."""
    told: list[CheckpointInfo] = []
    config = settings(
        checkpoint_every=10, keep_checkpoints=1, optimizer="sgd", learning_rate=1.0,
        lr_schedule="constant", warmup_steps=59, gradient_clip=0, k_warmup_percent=0,
    )  # fmt: skip
    run(store_of(gaussian_rows(), n_train=2000), tmp_path, config, on_checkpoint=told.append)
    assert all(c.quality_split == "heldout" and c.quality is not None for c in told)
    best = max(told, key=lambda c: (c.quality, c.step))
    assert {c.step for c in list_checkpoints(tmp_path)} == {best.step, 50, 60}


def test_without_held_out_tokens_the_smoothed_training_figure_decides(
    tmp_path: Path, store_of: StoreOf
) -> None:
    told: list[CheckpointInfo] = []
    points: list[StepMetrics] = []
    run(
        store_of(gaussian_rows()), tmp_path, settings(checkpoint_every=20, log_every=10),
        on_checkpoint=told.append, report=points.append,
    )  # fmt: skip
    expected = points[0].explained_variance
    for point in points[1:]:
        expected += 0.1 * (point.explained_variance - expected)
    assert told[-1].quality == pytest.approx(expected)
    assert told[-1].quality_split == "training"


def test_retention_by_hand() -> None:
    def checkpoint(step: int, quality: float | None, reason: Any = "interval") -> CheckpointInfo:
        return CheckpointInfo(Path(f"/none/step_{step}"), step, 1.0, 1.0, 0.5, 1, reason,
                              quality=quality)  # fmt: skip

    found = [
        checkpoint(10, 0.1), checkpoint(20, 0.9), checkpoint(25, 0.2, "request"),
        checkpoint(30, None), checkpoint(40, 0.9), checkpoint(50, 0.3),
    ]  # fmt: skip
    assert [p.name for p in drop_old(found, found[-1].path, 1)] == ["step_10", "step_20", "step_30"]
    assert [p.name for p in drop_old(found, found[-1].path, 3)] == ["step_10", "step_20"]
    assert [p.name for p in drop_old(found, found[-1].path, 1, recorded=30)] == [
        "step_10", "step_20",
    ]  # fmt: skip
    assert best_of(found) is found[4]
    assert best_of([]) is None


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
    inputs, targets = fresh.batch(7)
    assert torch.equal(inputs, rows.gather(chain[210:240]))
    assert targets is inputs
    other = ShuffledBatches(rows, 100, 30, seed=2)
    assert other.row_numbers(0).tolist() != batches.row_numbers(0).tolist()
    big = ShuffledBatches(rows, 100, 250, seed=1).row_numbers(0)
    assert np.bincount(big, minlength=100).tolist() <= [3] * 100


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
