"""One supervised process: restarts with backoff, stubborn ones, hanging ones, dying parents."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.supervisor.process import ChildProcess
from app.supervisor.resources import ProcessFigures, process_figures
from app.supervisor.unit import Unit, backoff_seconds
from tests.fixtures.rig import BACKEND, wait_for

Make = Callable[..., Unit]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Units that run a shell line; stopped after the test."""
    (tmp_path / "logs").mkdir()
    units: list[Unit] = []

    def unit(line: str, *, hang: float | None = None, **options: object) -> Unit:
        child = ChildProcess("program", ["sh", "-c", line], tmp_path, tmp_path, **options)  # type: ignore[arg-type]
        units.append(Unit(child, hang_after_seconds=hang))
        units[-1].start()
        return units[-1]

    yield unit
    for one in units:
        one.stop()


def test_the_wait_doubles_up_to_half_a_minute() -> None:
    waits = [backoff_seconds(failures) for failures in range(1, 10)]

    assert waits == [0.3, 0.6, 1.2, 2.4, 4.8, 9.6, 19.2, 30.0, 30.0]


def test_a_program_that_ends_is_started_again_and_counted(make: Make) -> None:
    unit = make("echo once more; exit 3")

    def restarted() -> bool:
        unit.tick()
        return unit.restarts == 2

    wait_for(restarted, "two restarts")
    assert unit.failures == 2
    assert unit.target.log_path.read_text().startswith("once more\nonce more\n")


def test_a_dead_program_says_when_it_comes_back(make: Make) -> None:
    unit = make("exit 0")

    def planned() -> bool:
        unit.tick()
        return unit.describe().state.startswith("restarting in")

    wait_for(planned, "a planned restart")
    assert unit.describe().pid is None


def test_a_program_is_ready_when_its_probe_says_so(make: Make, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    unit = make("sleep 600", probe=gate.exists)
    unit.tick()
    assert (unit.describe().state, unit.is_ready) == ("starting", False)

    gate.touch()
    unit.tick()

    assert (unit.describe().state, unit.is_ready) == ("running", True)


def test_a_program_that_stops_answering_is_started_again(make: Make) -> None:
    unit = make("sleep 600", hang=0.2, probe=lambda: False)
    first = unit.target.pid

    def replaced() -> bool:
        unit.tick()
        return unit.restarts == 1

    wait_for(replaced, "the restart")
    assert unit.target.pid != first


def test_a_missing_program_is_tried_again_later(make: Make, tmp_path: Path) -> None:
    unit = make("exit 0")
    unit.stop()
    unit.target = ChildProcess("missing", [str(tmp_path / "none")], tmp_path, tmp_path)

    unit.start()
    unit.tick()

    assert unit.describe().state.startswith("restarting in")


def test_a_program_that_ignores_the_request_to_leave_is_killed_with_its_group(
    make: Make, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    line = f"trap '' TERM; sleep 600 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait"
    unit = make(line, stop_timeout_seconds=0.3)
    leader, grandchild = wait_for(lambda: read_pids(pids), "pids")

    def both() -> ProcessFigures | None:  # without the mv, which ends a moment later
        found = process_figures(leader)
        return found if found is not None and found.processes == 2 else None

    assert wait_for(both, "the leader and its sleep").memory_bytes > 0

    unit.stop()

    assert unit.describe().state == "stopped"
    assert not psutil.pid_exists(leader)
    wait_for(lambda: is_gone(grandchild), "the grandchild's end")
    assert process_figures(leader) is None


def test_a_killed_supervisor_takes_its_programs_along(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    script = f"""
import sys, time
from pathlib import Path
from app.supervisor.process import ChildProcess
child = ChildProcess("sleep", ["sleep", "600"], Path({str(tmp_path)!r}), Path("/"))
child.spawn()
print(child.pid, flush=True)
sys.stdin.read()
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=BACKEND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"COVERAGE_PROCESS_CONFIG": ""},
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)

    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    wait_for(lambda: is_gone(pid), "the end of the program")


def is_gone(pid: int) -> bool:
    """Ended; who reaps it is the business of its parent."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def read_pids(file: Path) -> list[int]:
    return [int(pid) for pid in file.read_text().split()] if file.exists() else []
