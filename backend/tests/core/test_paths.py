"""Stored paths stay below the data root."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import paths
from app.core.paths import UnsafePath, ensure_home, relative_to_root, safe_join

ID = UUID("00000000-0000-0000-0000-000000000001")


def test_layout_of_the_data_root() -> None:
    assert str(paths.model_dir(ID)) == f"models/{ID}"
    assert str(paths.dataset_documents(ID)) == f"datasets/{ID}/raw/documents.jsonl"
    assert str(paths.tokenization_dir(ID, ID)) == f"datasets/{ID}/tokenized/{ID}"
    assert str(paths.hook_point_dir(ID, 3, "residual")) == f"activations/{ID}/L3_residual"
    assert str(paths.checkpoint_dir(ID, 100)) == f"checkpoints/{ID}/step_100"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a\0b", "a\\b", "link/x"])
def test_paths_that_leave_are_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(UnsafePath):
        safe_join(root, path)


@given(st.text(max_size=40))
def test_whatever_is_joined_lies_below(text: str) -> None:
    root = Path("/nonexistent-root")
    try:
        joined = safe_join(root, text)
    except (UnsafePath, OSError):
        return
    except UnicodeEncodeError:
        return
    assert joined.is_relative_to(root)


def test_what_is_stored_is_relative(tmp_path: Path) -> None:
    joined = safe_join(tmp_path, paths.model_dir(ID))
    assert relative_to_root(tmp_path, joined) == f"models/{ID}"


def test_the_home_is_its_owners(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ensure_home(home)
    ensure_home(home)
    for folder in (home, home / "data" / "models", home / "logs" / "jobs", home / "run"):
        assert folder.stat().st_mode & 0o777 == 0o700
    paths.fsync_dir(home)


def test_folders_that_an_earlier_version_left_open_are_closed(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    ensure_home(home)
    elsewhere.mkdir(mode=0o755)
    (home / "data" / "models").rmdir()
    (home / "data" / "models").symlink_to(elsewhere)
    opened = [home / "data", home / "logs", home / "run", home / "data" / "datasets"]
    for folder in (home, *opened):
        folder.chmod(0o755)
    ensure_home(home)
    assert {folder.stat().st_mode & 0o777 for folder in opened} == {0o700}
    assert {folder.stat().st_mode & 0o777 for folder in (home, elsewhere)} == {0o755}
