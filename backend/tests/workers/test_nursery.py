"""Children that are copies of one loaded process: as free, as mortal and as clean as fresh ones."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from app.core.enums import JobState
from app.workers.nursery import CodeOnDisk
from tests.fixtures.rig import BACKEND, Rig, find_process, wait_for
from tests.workers.steps import lines, release, running

pytestmark = pytest.mark.faults
S = JobState
# 0.1 s of a second or more: what the nursery took to load the modules, as a fresh process would.
CHILD_SHARE_OF_LOADING = 0.5


def test_a_child_is_a_copy_with_a_session_and_a_name_of_its_own(
    rig: Rig, files: dict[str, str]
) -> None:
    nursery = rig.nursery_pid()
    job_id = rig.create(**files)
    running(rig, files, job_id)
    child = psutil.Process(rig.child_pid(job_id))
    assert child.ppid() == nursery
    assert child.cmdline()[1:5] == ["-m", "app.workers.child", str(job_id), "1"]
    assert os.getsid(child.pid) == os.getpgid(child.pid) == child.pid
    assert cpu_seconds(child) < CHILD_SHARE_OF_LOADING * cpu_seconds(psutil.Process(nursery))
    assert psutil.Process(nursery).num_threads() == 1
    release(files)
    rig.wait_state(job_id, S.SUCCEEDED)


@pytest.mark.fault(1)
def test_a_job_outlives_its_nursery_and_the_next_finds_a_new_one(
    rig: Rig, files: dict[str, str]
) -> None:
    nursery = rig.nursery_pid()
    job_id = rig.create(**files)
    running(rig, files, job_id)
    os.kill(nursery, signal.SIGKILL)
    wait_for(lambda: find_process("app.workers.nursery", home=rig.settings.home) is None, "death")
    release(files)
    assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 1
    assert rig.nursery_pid() != nursery


@pytest.mark.fault(1)
def test_an_order_that_the_nursery_took_to_its_grave_is_carried_out(
    rig: Rig, files: dict[str, str]
) -> None:
    nursery = rig.nursery_pid()
    with rig.frozen(nursery):
        job_id = rig.create(**files)
        rig.wait_state(job_id, S.STARTING)
        os.kill(nursery, signal.SIGKILL)
    running(rig, files, job_id)
    child = psutil.Process(rig.child_pid(job_id))
    assert child.parent().name().startswith("python")
    release(files)
    assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 1


@pytest.mark.fault(2)
def test_a_child_dies_with_its_worker_although_that_is_not_its_parent(
    rig: Rig, files: dict[str, str]
) -> None:
    nursery = rig.nursery_pid()
    job_id = rig.create(**files)
    running(rig, files, job_id)
    child = rig.child_pid(job_id)
    os.kill(nursery, signal.SIGKILL)  # nobody but the kernel is left to see to it
    rig.kill("worker")
    wait_for(lambda: not psutil.pid_exists(child) or _is_zombie(child), "the child's death")
    rig.start("worker")
    running(rig, files, job_id, attempt=2)
    release(files)
    rig.wait_state(job_id, S.SUCCEEDED)
    assert lines(files) == ["1", "2"]


def test_a_change_of_the_code_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "site-packages"
    packages.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    code = CodeOnDisk()
    assert code.is_unchanged()
    (packages / "upgraded").mkdir()
    assert not code.is_unchanged()


def test_a_process_with_threads_makes_no_copies() -> None:
    code = (
        "import threading; from app.workers.nursery import unfit_to_fork\n"
        "print(unfit_to_fork()); hold = threading.Event()\n"
        "threading.Thread(target=hold.wait).start(); print(unfit_to_fork()); hold.set()"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=BACKEND, capture_output=True, text=True)
    assert said.stdout.splitlines() == ["None", "a module started a thread while it was loaded"]


def cpu_seconds(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
