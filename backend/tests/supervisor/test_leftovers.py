"""Processes that outlived their supervisor are found by the mark they carry, and no others."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.supervisor.launch import STACK_MARK, marked_environment, temporary_folder
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
    (temporary_folder(tmp_path) / "pymp-of-a-killed-worker").mkdir(parents=True)
    wait_for(ready.exists, "the trap")
    wait_for(lambda: {polite.pid, stubborn.pid} <= pids_of(tmp_path), "both")

    assert clear_leftovers(tmp_path, timeout_seconds=0.5) >= 2

    for ended in (polite, stubborn):  # killed; how soon the kernel does it is its own business
        ended.wait(120)
    assert foreign.poll() is None
    assert list(temporary_folder(tmp_path).iterdir()) == []
    # The last "sleep 0.1" of the stubborn one outlives it by as much.
    wait_for(lambda: clear_leftovers(tmp_path) == 0, "nothing left")


def test_another_containers_processes_are_not_ours(tmp_path: Path, start: Start) -> None:
    """It may have its data at the same path, and the machine's root sees its processes."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespace of its own can be made here")
    home = tmp_path / "home"
    home.mkdir()
    ready = tmp_path / "ready"
    line = f"mount -t tmpfs none {home} && mkdir {home}/valkey && cd {home}/valkey"
    line += f" && touch {ready} && exec sleep 600"
    container = start(home, f'exec unshare -rm sh -c "{line}"')
    ours = start(home, "exec sleep 600")
    wait_for(lambda: ready.exists() and pids_of(home) == {ours.pid}, "ours alone")

    assert clear_leftovers(home) == 1
    assert container.poll() is None


def test_temporary_files_lie_in_the_home_where_a_socket_fits_into_its_name() -> None:
    home = Path("/home/someone/.local/share/mistudio")
    assert marked_environment(home)["TMPDIR"] == f"{home}/run/tmp"
    assert marked_environment(Path("/" + "long" * 20)).get("TMPDIR") == os.environ.get("TMPDIR")


def pids_of(home: Path) -> set[int]:
    return {process.pid for process in find_leftovers(home)}
