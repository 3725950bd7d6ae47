"""Processes that outlived their supervisor are found by the mark they carry, and no others."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.supervisor.launch import STACK_MARK
from app.supervisor.leftovers import clear_leftovers, find_leftovers
from tests.fixtures.rig import wait_for

Start = Callable[[Path, str], subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Run a shell line as a part of the stack of some home."""
    started: list[subprocess.Popen[bytes]] = []

    def run(home: Path, line: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {STACK_MARK: str(home)}
        started.append(subprocess.Popen(["sh", "-c", line], env=environment))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


def test_marked_processes_of_this_home_are_stopped_and_no_others(
    tmp_path: Path, start: Start
) -> None:
    ready = tmp_path / "ready"
    polite = start(tmp_path, "exec sleep 600")
    stubborn = start(tmp_path, f"trap '' TERM; touch {ready}; while :; do sleep 0.1; done")
    foreign = start(tmp_path / "another", "exec sleep 600")
    wait_for(ready.exists, "the trap")
    wait_for(lambda: {polite.pid, stubborn.pid} <= pids_of(tmp_path), "both")

    assert clear_leftovers(tmp_path, timeout_seconds=0.5) >= 2

    assert polite.poll() is not None
    assert stubborn.poll() is not None
    assert foreign.poll() is None
    # The last "sleep 0.1" of the stubborn one outlives it by as much.
    wait_for(lambda: clear_leftovers(tmp_path) == 0, "nothing left")


def pids_of(home: Path) -> set[int]:
    return {process.pid for process in find_leftovers(home)}
