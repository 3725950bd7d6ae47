"""Programs that are copies of a process which has loaded them: children of the supervisor."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.supervisor.forked import Nursery
from app.supervisor.process import ChildProcess
from app.supervisor.unit import Unit
from tests.fixtures.rig import BACKEND, wait_for

# What the program must say of itself, and then live on until somebody ends it.
PROGRAM = """
import os, sys, time
print(sys.argv[1], os.environ["ANSWER"], os.getppid(), os.getsid(0) == os.getpid(), flush=True)
print("fractions" in sys.modules, __name__, flush=True)
time.sleep(600)
"""


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    (tmp_path / "logs").mkdir()
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "sample_program.py").write_text(PROGRAM)
    path = os.pathsep.join([str(folder), str(BACKEND)])
    nursery = Nursery(("fractions",), tmp_path, BACKEND, {"PYTHONPATH": path})
    nursery.start()
    yield nursery
    nursery.close()


@pytest.fixture
def unit(nursery: Nursery) -> Iterator[Unit]:
    child = ChildProcess(
        name="sample",
        command=[sys.executable, "-m", "sample_program", "word"],
        home=nursery.home,
        folder=nursery.home,
        environment=nursery.environment | {"ANSWER": "42"},
        nursery=nursery,
    )
    unit = Unit(child)
    unit.start()
    yield unit
    unit.stop()


def said(unit: Unit, lines: int) -> list[str]:
    log = unit.target.log_path

    def whole() -> list[str] | None:
        words = log.read_text().splitlines() if log.exists() else []
        return words if len(words) >= lines else None

    return wait_for(whole, "the program's words")


def test_a_copy_is_the_program_with_its_modules_and_a_child_of_the_supervisor(unit: Unit) -> None:
    assert said(unit, 2) == [f"word 42 {os.getpid()} True", "True __main__"]
    assert unit.target.is_running()
    assert Path(f"/proc/{unit.target.pid}/comm").read_text() == "sample\n"


def test_it_lives_on_without_its_nursery_and_starts_again_without_one(
    unit: Unit, nursery: Nursery
) -> None:
    said(unit, 2)
    nursery.close()
    first = unit.target.pid
    assert unit.target.is_running()

    assert first is not None
    os.kill(first, signal.SIGKILL)

    def restarted() -> bool:
        unit.tick()
        return unit.restarts == 1

    wait_for(restarted, "a restart")
    assert said(unit, 4)[2:] == [f"word 42 {os.getpid()} True", "False __main__"]
    assert unit.target.pid != first


def test_stopping_ends_the_copy(unit: Unit) -> None:
    said(unit, 2)
    pid = unit.target.pid
    unit.stop()
    assert not Path(f"/proc/{pid}").exists()


def test_a_nursery_that_cannot_load_leaves_programs_to_start_by_themselves(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    broken = Nursery(("no_such_module_anywhere",), tmp_path, BACKEND)
    broken.start()
    child = ChildProcess("json", [sys.executable, "-m", "json.tool", "--help"], tmp_path, tmp_path)
    child.nursery = broken
    child.spawn()
    assert child.process is not None
    assert child.process.wait(60) == 0
    assert "no_such_module_anywhere" in (tmp_path / "logs" / "nursery.log").read_text()
