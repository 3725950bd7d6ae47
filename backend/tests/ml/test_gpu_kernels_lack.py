"""Kernels are taken only where all is there that Triton builds them with."""

import importlib.util
import shutil
import sysconfig
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from app.ml.sae_training.gpu import what_kernels_lack


@pytest.fixture(autouse=True)
def _complete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "Python.h").touch()
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))


def test_nothing_is_lacking() -> None:
    assert what_kernels_lack() is None


def test_builds_of_pytorch_for_processors_have_no_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert what_kernels_lack() == "the package triton"


def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert what_kernels_lack() == "a C compiler"
    monkeypatch.setenv("CC", "/opt/cc")
    assert what_kernels_lack() is None


def test_without_pythons_headers(tmp_path: Path) -> None:
    (tmp_path / "Python.h").unlink()
    assert what_kernels_lack() == "Python's headers"
