from pathlib import Path

import pytest

from app.core.enums import JobAction
from app.workers.context import JobInterrupted
from app.workers.tasks.leftovers import removed_at_the_end


def run(folder: Path, error: BaseException | None) -> None:
    folder.mkdir()
    with removed_at_the_end(folder):
        if error is not None:
            raise error


@pytest.mark.parametrize("error", [ValueError(), JobInterrupted(JobAction.CANCEL)])
def test_what_ends_badly_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        run(tmp_path / "x", error)
    assert not (tmp_path / "x").exists()


def test_what_ends_well_leaves_nothing(tmp_path: Path) -> None:
    run(tmp_path / "x", None)
    assert not (tmp_path / "x").exists()


def test_what_is_paused_finds_its_files_again(tmp_path: Path) -> None:
    with pytest.raises(JobInterrupted):
        run(tmp_path / "x", JobInterrupted(JobAction.PAUSE))
    assert (tmp_path / "x").exists()
