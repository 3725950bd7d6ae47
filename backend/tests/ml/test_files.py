"""What a crash may leave behind, and what it may not."""

from pathlib import Path

import numpy as np
import pytest
import torch

from app.ml.activation_extraction.npy_files import NpyWriter, open_npy
from app.ml.devices import bf16_speedup, coded_memory_errors, memory_bytes, pick_device, pick_dtype
from app.ml.errors import OutOfMemory, StoreInvalid
from app.ml.files import remove_folder, remove_leftovers, replacing_file, replacing_folder


@pytest.mark.fault(3)
def test_a_folder_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(ZeroDivisionError), replacing_folder(target) as folder:
        (folder / "a").write_text(str(1 / 0))
    assert list(tmp_path.iterdir()) == []
    for text in ("1", "2"):
        with replacing_folder(target) as folder:
            (folder / "a").write_text(text)
    assert (target / "a").read_text() == "2"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing_file(target) as temporary:
        temporary.write_text(str(1 / 0))
    assert target.read_text() == "old"


@pytest.mark.fault(3)
def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".step_5.tmp-12ab").mkdir()
    (tmp_path / ".file.tmp-12ab").write_text("x")
    (tmp_path / ".step_4.old-12ab").mkdir()
    (tmp_path / "step_4").mkdir()
    (tmp_path / ".step_5.old-12ab").mkdir()  # its successor never came
    remove_leftovers(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step_4", "step_5"]


@pytest.mark.fault(3)
def test_a_folder_is_deleted_under_a_name_that_a_later_start_cleans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "step_4").mkdir()
    (tmp_path / "step_4" / "sae.safetensors").write_text("x")
    with monkeypatch.context() as killed:
        killed.setattr("shutil.rmtree", lambda *_, **__: None)
        remove_folder(tmp_path / "step_4")
    [left] = tmp_path.iterdir()
    assert left.name.startswith(".step_4.tmp-")
    remove_leftovers(tmp_path)
    remove_folder(tmp_path / "step_4")  # by another one already
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["<f4", "<u2", [("token", "<i8"), ("window", "<i4")]])
def test_npy_files_grow_and_numpy_reads_them(tmp_path: Path, dtype: object) -> None:
    rows = np.zeros(5, dtype=dtype)
    path = tmp_path / "a.npy"
    with NpyWriter(path, (), dtype, reserve_rows=100) as writer:
        writer.append(rows[:2])
        writer.append(rows[2:])
    loaded = np.load(path)
    assert loaded.dtype == rows.dtype
    assert len(loaded) == 5
    assert path.stat().st_size == 128 + rows.nbytes


def test_npy_files_refuse_rows_of_another_kind(tmp_path: Path) -> None:
    with NpyWriter(tmp_path / "a.npy", (3,), np.float32) as writer, pytest.raises(ValueError):  # noqa: PT011
        writer.append(np.zeros((2, 4), np.float32))


def test_empty_missing_and_truncated_npy_files(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    NpyWriter(path, (3,), np.float32).close()
    assert open_npy(path, 0).shape == (0, 3)
    with NpyWriter(path, (3,), np.float32) as writer:
        writer.append(np.ones((4, 3), np.float32))
    with pytest.raises(StoreInvalid, match="4 rows instead of 5"):
        open_npy(path, 5)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(StoreInvalid, match="truncated"):
        open_npy(path, 4)
    with pytest.raises(StoreInvalid, match="missing"):
        open_npy(tmp_path / "none.npy")


def test_devices_and_number_formats() -> None:
    cpu = pick_device("cpu")
    assert pick_device("auto").type in ("cpu", "cuda")
    assert pick_dtype("float32", cpu) is torch.float32
    assert pick_dtype("auto", cpu) in (torch.float32, torch.bfloat16)
    assert bf16_speedup() > 0
    assert memory_bytes(cpu) > 10_000_000


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 1 byte"),
    ],
)
def test_allocators_errors_become_one_kind(error: Exception) -> None:
    with pytest.raises(OutOfMemory, match="while baking"), coded_memory_errors("baking"):
        raise error


def test_other_errors_pass_through() -> None:
    with pytest.raises(RuntimeError, match="shape"), coded_memory_errors("baking"):
        raise RuntimeError("shape mismatch")
