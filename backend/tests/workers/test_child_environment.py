"""What a computing process finds in its environment."""

import os
import sysconfig
from pathlib import Path

import pytest

from app.core.config import Settings
from app.workers.child_environment import compute_environment

CACHES = {"TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "NUMBA_CACHE_DIR"}


@pytest.fixture(autouse=True)
def _nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CACHES:
        monkeypatch.delenv(name, raising=False)


def test_secrets_stay_with_the_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("MISTUDIO_TOKEN", "secret of an API")
    assert not {"HF_TOKEN", "MISTUDIO_TOKEN"} & compute_environment(Settings(home=tmp_path)).keys()


def test_compiled_code_lies_with_the_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a container the packages, the user's home and /tmp are no place for it."""
    packages = sysconfig.get_path("purelib")
    # Root may write where nobody else may, so the rights alone would not show it.
    monkeypatch.setattr(os, "access", lambda path, _: path != packages)
    environment = compute_environment(Settings(home=tmp_path))
    folders = [Path(environment[name]) for name in CACHES]
    assert all(path.is_relative_to(tmp_path / "data" / "cache") for path in folders)
    assert len(set(folders)) == len(CACHES)


def test_packages_that_can_be_written_keep_what_numba_compiles(tmp_path: Path) -> None:
    assert "NUMBA_CACHE_DIR" not in compute_environment(Settings(home=tmp_path))


def test_what_the_user_chose_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", "/fast/disk")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    environment = compute_environment(Settings(home=tmp_path))
    assert environment["TRITON_CACHE_DIR"] == "/fast/disk"
    assert environment["OMP_WAIT_POLICY"] == "active"
