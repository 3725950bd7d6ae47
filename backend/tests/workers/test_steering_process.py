"""The warm process: kept between jobs, unloaded when idle, replaced when it dies."""

from typing import Any

import psutil
import pytest

from app.core.enums import JobAction, JobKind, JobState
from app.workers.giving_way import GivingWay
from tests.fixtures.rig import Rig, wait_for
from tests.workers.steps import release, running

pytestmark = pytest.mark.faults
S = JobState


def answer(rig: Rig, **payload: Any) -> dict[str, Any]:
    job_id = rig.create(JobKind.STEERING_GENERATE, **payload)
    result = rig.wait_state(job_id, S.SUCCEEDED).result
    assert result is not None
    return result


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_the_second_job_finds_what_the_first_one_loaded(rig: Rig) -> None:
    first, second = answer(rig), answer(rig)
    assert second == {"pid": first["pid"], "uses": first["uses"] + 1}


def test_it_leaves_when_idle_and_comes_back(rig: Rig) -> None:
    rig.kill("steering")
    rig.start("steering", MISTUDIO_STEERING_IDLE_UNLOAD="PT1S")
    first = answer(rig)
    wait_for(lambda: not is_running(first["pid"]), "idle exit")
    again = answer(rig)
    assert again["pid"] != first["pid"]
    assert again["uses"] == 1
    rig.kill("steering")  # the next test gets one that is patient again


def test_cancel_keeps_the_process(rig: Rig, files: dict[str, str]) -> None:
    warm = answer(rig)
    job_id = rig.create(JobKind.STEERING_GENERATE, release=files["release"])
    rig.wait_state(job_id, S.RUNNING)
    rig.request(job_id, JobAction.CANCEL)
    rig.wait_state(job_id, S.CANCELLED)
    assert answer(rig)["pid"] == warm["pid"]


def test_a_dead_process_is_replaced(rig: Rig) -> None:
    job_id = rig.create(JobKind.STEERING_GENERATE, mode="die", max_attempts=1)
    job = rig.wait_state(job_id, S.FAILED)
    assert job.error_code == "WORKER_LOST"
    assert answer(rig)["uses"] == 1


def test_a_steering_job_is_cancelled_by_a_shutdown(rig: Rig, files: dict[str, str]) -> None:
    warm = answer(rig)
    job_id = rig.create(JobKind.STEERING_GENERATE, release=files["release"])
    rig.wait_state(job_id, S.RUNNING)
    rig.kill("steering", 15)
    assert rig.job(job_id).state is S.CANCELLED
    wait_for(lambda: not is_running(warm["pid"]), "the warm process's end")  # the kernel sees to it


def test_it_shares_the_machine_with_a_training(rig: Rig, files: dict[str, str]) -> None:
    training = rig.create(JobKind.TRAINING_RUN, **files)
    running(rig, files, training)
    assert answer(rig)["uses"] >= 1
    assert rig.job(training).state is S.RUNNING
    release(files)
    rig.wait_state(training, S.SUCCEEDED)


def is_somebody_answered(rig: Rig) -> bool:
    """Look as a training does between two steps."""
    waited: list[float] = []
    GivingWay(rig.settings.run_dir, lambda seconds: waited.append(seconds) is None).pause()
    return bool(waited)


@pytest.mark.parametrize(
    ("kind", "goes_first"),
    [
        (JobKind.STEERING_GENERATE, True),
        (JobKind.FEATURE_PROBE, True),
        (JobKind.FEATURE_ABLATE, False),
    ],
)
def test_only_for_who_waits_at_the_page_do_jobs_pause(
    rig: Rig, files: dict[str, str], kind: JobKind, goes_first: bool
) -> None:
    job_id = rig.create(kind, **files)
    running(rig, files, job_id)
    assert is_somebody_answered(rig) is goes_first
    release(files)
    rig.wait_state(job_id, S.SUCCEEDED)
    assert not is_somebody_answered(rig)
