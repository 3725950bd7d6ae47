"""A limit of a control group counts, whichever version and whichever level has it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core import memory
from app.core.memory import Memory, read_memory

GB = 10**9


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of control groups on a machine with 24 GB, 20 of them free."""
    machine = SimpleNamespace(total=24 * GB, available=20 * GB)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: machine)
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    return tmp_path / "cgroup"


def v2(folder: Path, limit: str, used: int, cached: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 7\nactive_file {cached}\ninactive_file 0\n")


def test_without_groups_the_machine_counts(groups: Path) -> None:
    assert read_memory() == Memory(24 * GB, 20 * GB)


def test_a_limit_counts_and_cached_files_are_free(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/\n")
    v2(groups, str(6 * GB), 4 * GB, 1 * GB)
    assert read_memory() == Memory(6 * GB, 3 * GB)


def test_a_soft_limit_counts(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/\n")
    v2(groups, "max", 4 * GB, 0)
    (groups / "memory.high").write_text(f"{5 * GB}\n")
    assert read_memory() == Memory(5 * GB, 1 * GB)


def test_the_tightest_of_all_levels_counts(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/system.slice/mistudio.service\n")
    v2(groups / "system.slice", str(6 * GB), 5 * GB, 0)
    v2(groups / "system.slice/mistudio.service", "max", 1 * GB, 0)
    assert read_memory() == Memory(6 * GB, 1 * GB)


def test_a_full_machine_counts_below_a_wide_limit(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/\n")
    v2(groups, str(100 * GB), 0, 0)
    assert read_memory() == Memory(24 * GB, 20 * GB)


def test_version_one_in_a_container_that_is_told_the_hosts_path(groups: Path) -> None:
    (groups.parent / "own").write_text("5:cpu:/docker/1f\n4:memory:/docker/1f\n0::/docker/1f\n")
    folder = groups / "memory"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text(f"{6 * GB}\n")
    (folder / "memory.usage_in_bytes").write_text(f"{7 * GB}\n")
    (folder / "memory.stat").write_text("active_file 1\ntotal_active_file 0\n")
    assert read_memory() == Memory(6 * GB, 0)


def test_another_containers_limit_takes_the_place_of_our_own(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/\n")
    v2(groups, str(GB), 0, 0)
    assert read_memory(3 * GB) == Memory(3 * GB, 3 * GB)
    assert read_memory(99 * GB) == Memory(24 * GB, 20 * GB)
