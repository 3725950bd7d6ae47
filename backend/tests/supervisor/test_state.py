"""services.json and the lock of the home."""

import os
from pathlib import Path

import psutil
import pytest

from app.supervisor.state import (
    HomeInUse,
    ProcessState,
    StackPhase,
    StackState,
    is_same_process,
    lock_home,
    read_state,
    write_state,
)


def state_of(process: psutil.Process) -> StackState:
    return StackState(
        pid=process.pid,
        pid_created_at=process.create_time(),
        phase=StackPhase.READY,
        message="everything runs",
        started_at=process.create_time(),
        database_url="postgresql://mistudio:secret@127.0.0.1:1/mistudio",
        processes=[ProcessState("api", 1, "running", 1.0, 0, "api.log")],
    )


def test_what_is_written_is_read_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    file, state = tmp_path / "services.json", state_of(psutil.Process())

    write_state(file, state)

    assert read_state(file) == state
    assert state.is_alive()
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file], "no temporary file stays"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"processes": [], "phase": "dancing"}'])
def test_a_broken_file_counts_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "services.json"
    file.write_text(text)

    assert read_state(file) is None


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert read_state(tmp_path / "services.json") is None


def test_a_reused_pid_is_not_the_same_process() -> None:
    me = psutil.Process()

    assert is_same_process(me.pid, me.create_time())
    assert not is_same_process(me.pid, me.create_time() - 60)


def test_the_home_has_one_holder_at_a_time(tmp_path: Path) -> None:
    held = lock_home(tmp_path)
    with pytest.raises(HomeInUse, match="another supervisor uses"):
        lock_home(tmp_path)
    os.close(held)

    os.close(lock_home(tmp_path))
