"""What is stored is what the model computes, and what is dropped is counted."""

import errno
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from app.ml.activation_extraction import ActivationStore, TokenStore, extract_activations
from app.ml.activation_extraction.plan import plan_windows
from app.ml.configs import ExtractionConfig
from app.ml.errors import (
    CorpusEmpty,
    HookPointNotFound,
    InvalidActivations,
    Stopped,
    StoreInvalid,
)
from app.ml.files import read_json, write_json
from app.ml.language_models import LoadedModel, capture, edit_at, resolve_hook_point
from app.ml.records import Progress
from tests.fixtures.small_disk import fill, small_disk
from tests.ml.conftest import ignore, never
from tests.ml.test_tokenize import tokenize


def files_of(path: Path) -> dict[str, bytes]:
    return {str(f.relative_to(path)): f.read_bytes() for f in sorted(path.rglob("*.npy"))}


def test_rows_are_the_models_activations(
    store: ActivationStore, tokens: TokenStore, glass: LoadedModel
) -> None:
    index = store.indices
    chosen = np.array([0, 1, 5000, store.n_rows - 1])
    for layer, hook_type in ((1, "residual"), (2, "residual"), (1, "mlp"), (2, "mlp")):
        point = resolve_hook_point(glass.model, layer, hook_type)
        windows = index["window"][chosen].astype(np.int64)
        live = capture(glass, torch.from_numpy(tokens.read_windows(windows)), [point])[point]
        expected = live[torch.arange(4), torch.from_numpy(index["position"][chosen].astype(int))]
        found = store.rows(layer, hook_type).gather(chosen)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_index_points_at_the_tokens_themselves(store: ActivationStore, tokens: TokenStore) -> None:
    index = store.indices
    windows = index["window"].astype(np.int64)
    read = tokens.read_windows(windows[::97])
    expected = read[np.arange(len(read)), index["position"][::97]]
    assert (tokens.tokens[index["token"][::97]] == expected).all()
    assert (np.diff(index["token"]) > 0).all()
    assert (index["window"][: store.n_train_rows] < tokens.n_train_windows).all()
    assert (index["window"][store.n_train_rows :] >= tokens.n_train_windows).all()


def test_special_tokens_are_dropped_and_counted(
    store: ActivationStore, tokens: TokenStore, glass: LoadedModel
) -> None:
    kept = tokens.tokens[store.indices["token"]]
    assert not np.isin(kept, glass.special_ids).any()
    assert (store.indices["position"] > 0).all()
    windows = tokens.read_windows(np.arange(tokens.n_windows))
    special = np.isin(windows, glass.special_ids).sum()
    assert store.metadata["dropped_special"] == special
    assert store.n_rows + special + store.metadata["dropped_norm"] == windows.size


def test_planted_norm_outliers_are_dropped_at_every_hook_point(
    tmp_path: Path, tokens: TokenStore, glass: LoadedModel
) -> None:
    """A sink as in large models: one token of each window with 100 times the norm."""

    def plant(value: torch.Tensor) -> torch.Tensor:
        changed = value.clone()
        changed[:, 7] *= 100
        return changed

    config = ExtractionConfig(layers=(0, 1), max_samples=20)
    point = resolve_hook_point(glass.model, 1, "residual")
    with edit_at(glass.model, point, plant):
        summary = extract_activations(glass, tokens, tmp_path / "s", config, ignore, never)
    store = ActivationStore.open(tmp_path / "s")
    assert 7 not in store.indices["position"]
    assert 18 <= summary.dropped_norm <= 20  # a special token there counts as special
    assert [h.norm_outliers for h in summary.hooks] == [0, summary.dropped_norm]
    kept_all = ExtractionConfig(layers=(0, 1), max_samples=20, norm_limit=None)
    with edit_at(glass.model, point, plant):
        summary = extract_activations(glass, tokens, tmp_path / "k", kept_all, ignore, never)
    assert summary.dropped_norm == 0


def test_stopped_and_resumed_equals_straight(
    tmp_path: Path, tokens: TokenStore, glass: LoadedModel
) -> None:
    config = ExtractionConfig(layers=(1,), max_samples=60, windows_per_shard=16, batch_size=8)
    extract_activations(glass, tokens, tmp_path / "straight", config, ignore, never)
    reports: list[Progress] = []
    calls = iter([False] * 5 + [True])
    with pytest.raises(Stopped):
        extract_activations(
            glass, tokens, tmp_path / "resumed", config, reports.append, lambda: next(calls)
        )
    first = tmp_path / "resumed" / "L1_residual" / "shard_00000.npy"
    written = first.stat().st_mtime_ns
    with pytest.raises(StoreInvalid, match="no finished extraction"):
        ActivationStore.open(tmp_path / "resumed")
    extract_activations(glass, tokens, tmp_path / "resumed", config, ignore, never)
    assert first.stat().st_mtime_ns == written
    assert files_of(tmp_path / "straight") == files_of(tmp_path / "resumed")
    assert not list((tmp_path / "resumed").glob("shard_*.json"))


def test_another_configuration_starts_afresh(
    tmp_path: Path, tokens: TokenStore, glass: LoadedModel
) -> None:
    config = ExtractionConfig(layers=(1,), max_samples=20, windows_per_shard=8)
    calls = iter([False, True])
    with pytest.raises(Stopped):
        extract_activations(glass, tokens, tmp_path / "s", config, ignore, lambda: next(calls))
    other = ExtractionConfig(layers=(2,), max_samples=20, windows_per_shard=8)
    extract_activations(glass, tokens, tmp_path / "s", other, ignore, never)
    assert ActivationStore.open(tmp_path / "s").layers == [2]
    assert not (tmp_path / "s" / "L1_residual").exists()


@pytest.mark.parametrize(("dtype", "tolerance"), [("bfloat16", 8e-3), ("float16", 1e-3)])
def test_half_precision_on_disk(
    tmp_path: Path, store: ActivationStore, tokens: TokenStore, glass: LoadedModel,
    dtype: str, tolerance: float,
) -> None:  # fmt: skip
    config = ExtractionConfig(layers=(1,), dtype=dtype, max_samples=10)
    extract_activations(glass, tokens, tmp_path / "s", config, ignore, never)
    half = ActivationStore.open(tmp_path / "s")
    exact = capture(
        glass,
        torch.from_numpy(tokens.read_windows(half.indices["window"][:1].astype(np.int64))),
        [point := resolve_hook_point(glass.model, 1, "residual")],
    )[point][0, half.indices["position"][0]]
    torch.testing.assert_close(
        half.rows(1, "residual").slice(0, 1)[0], exact, rtol=tolerance, atol=tolerance
    )


def test_gather_and_slice_agree_across_shards(store: ActivationStore) -> None:
    rows = store.rows(2, "residual")
    assert len(rows.shards) > 1
    border = int(rows.starts[1])
    numbers = np.arange(border - 3, border + 3)
    assert torch.equal(rows.gather(numbers), rows.slice(border - 3, border + 3))
    assert torch.equal(rows.gather(numbers[::-1].copy()), rows.gather(numbers).flip(0))
    assert rows.slice(5, 5).shape == (0, 128)


def test_limits_spread_over_the_corpus(tokens: TokenStore) -> None:
    every = plan_windows(tokens, ExtractionConfig(layers=(0,)))
    assert every.tolist() == list(range(tokens.n_windows))
    few = plan_windows(tokens, ExtractionConfig(layers=(0,), max_samples=4))
    assert len(set(few.tolist())) == 4
    assert few[0] < tokens.n_windows / 4 < few[1] < tokens.n_windows / 2 < few[2]
    limited = plan_windows(tokens, ExtractionConfig(layers=(0,), max_tokens=1000))
    assert len(limited) == 16  # 63 tokens of text each


@pytest.mark.fault(17)
def test_altered_and_truncated_shards_are_noticed(tmp_path: Path, store: ActivationStore) -> None:
    shutil.copytree(store.path, tmp_path / "copy")
    shard = tmp_path / "copy" / "L1_mlp" / "shard_00000.npy"
    content = bytearray(shard.read_bytes())
    content[1000] ^= 1
    shard.write_bytes(content)
    copy = ActivationStore.open(tmp_path / "copy")
    with pytest.raises(StoreInvalid, match="altered"):
        copy.verify()
    store.verify()
    shard.write_bytes(content[:-4])
    with pytest.raises(StoreInvalid, match="truncated"):
        ActivationStore.open(tmp_path / "copy")
    metadata = read_json(tmp_path / "copy" / "metadata.json")
    write_json(tmp_path / "copy" / "metadata.json", {**metadata, "format": "old"})
    with pytest.raises(StoreInvalid, match="this version"):
        ActivationStore.open(tmp_path / "copy")


def test_bad_requests(tmp_path: Path, tokens: TokenStore, glass: LoadedModel) -> None:
    with pytest.raises(HookPointNotFound):
        extract_activations(glass, tokens, tmp_path, ExtractionConfig(layers=(9,)), ignore, never)
    short = tokenize(tmp_path, ["Alice"], max_length=64)
    with pytest.raises(CorpusEmpty, match="too few to fill a window"):
        extract_activations(
            glass, short, tmp_path / "s", ExtractionConfig(layers=(1,)), ignore, never
        )
    with pytest.raises(StoreInvalid, match="L1_attention was not extracted"):
        ActivationStore.open(_small_store(tmp_path, tokens, glass)).rows(1, "attention")


def _small_store(tmp_path: Path, tokens: TokenStore, glass: LoadedModel) -> Path:
    config = ExtractionConfig(layers=(1,), max_samples=4)
    extract_activations(glass, tokens, tmp_path / "small", config, ignore, never)
    return tmp_path / "small"


def test_nan_activations_are_refused(
    tmp_path: Path, tokens: TokenStore, glass: LoadedModel
) -> None:
    point = resolve_hook_point(glass.model, 1, "residual")
    config = ExtractionConfig(layers=(1,), max_samples=4)
    with (
        edit_at(glass.model, point, lambda value: value * float("nan")),
        pytest.raises(InvalidActivations, match="NaN or infinity at layer 1"),
    ):
        extract_activations(glass, tokens, tmp_path / "s", config, ignore, never)


def test_values_too_large_for_float16_are_refused_and_fit_into_bfloat16(
    tmp_path: Path, tokens: TokenStore, glass: LoadedModel
) -> None:
    point = resolve_hook_point(glass.model, 1, "residual")
    with edit_at(glass.model, point, lambda value: value * 1e6):
        half = ExtractionConfig(layers=(1,), max_samples=4, dtype="float16")
        with pytest.raises(InvalidActivations, match="float16 can hold"):
            extract_activations(glass, tokens, tmp_path / "h", half, ignore, never)
        wide = ExtractionConfig(layers=(1,), max_samples=4, dtype="bfloat16")
        extract_activations(glass, tokens, tmp_path / "b", wide, ignore, never)
    store = ActivationStore.open(tmp_path / "b")
    assert torch.isfinite(store.rows(1, "residual").slice(0, store.n_rows)).all()
    recorded = store.metadata["tokens"]
    assert recorded["separator_id"] == tokens.metadata["separator_id"]
    assert recorded["start_id"] == tokens.start_id


@pytest.mark.fault(13)
def test_a_disk_that_is_too_small_is_noticed_before_the_work(
    tmp_path: Path, tokens: TokenStore, glass: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(
        "app.ml.activation_extraction.plan.shutil.disk_usage",
        lambda _: usage._replace(free=1000),
    )
    with pytest.raises(OSError, match="GB are free") as error:
        extract_activations(
            glass, tokens, tmp_path / "s", ExtractionConfig(layers=(1,)), ignore, never
        )
    assert error.value.errno == errno.ENOSPC


@pytest.mark.fault(13)
def test_a_disk_that_fills_during_the_work_costs_no_shard_and_no_signal(
    tmp_path: Path, tokens: TokenStore, glass: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Space is reserved before it is written, so that the kernel says ENOSPC and not SIGBUS."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("app.ml.activation_extraction.plan.shutil.disk_usage", lambda _: usage)
    config = ExtractionConfig(layers=(1,), max_samples=64, windows_per_shard=16)
    extract_activations(glass, tokens, tmp_path / "whole", config, ignore, never)
    with small_disk(tmp_path / "disk", 2_000_000) as disk:
        filler = fill(disk, leave_bytes=500_000)
        with pytest.raises(OSError, match="No space left") as error:
            extract_activations(glass, tokens, disk / "store", config, ignore, never)
        assert error.value.errno == errno.ENOSPC
        with pytest.raises(StoreInvalid):
            ActivationStore.open(disk / "store")

        filler.unlink()
        extract_activations(glass, tokens, disk / "store", config, ignore, never)
        assert files_of(disk / "store") == files_of(tmp_path / "whole")
