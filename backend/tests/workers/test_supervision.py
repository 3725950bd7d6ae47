"""One attempt after the other: success, failure, requests in every phase, deaths."""

import os
import signal
from pathlib import Path
from uuid import UUID

import pytest

from app.core.enums import DatasetStatus, JobAction, JobKind, JobState, ResourceType
from app.core.errors import IllegalTransition
from app.db.models import Dataset
from app.db.session import session_scope
from app.workers import sender
from tests.fixtures.rig import Rig, find_process, wait_for
from tests.workers.steps import lines, release, running

pytestmark = pytest.mark.faults
S = JobState


def new_dataset() -> UUID:
    with session_scope() as session:
        dataset = Dataset(name="d", source="Local", status=DatasetStatus.INGESTING)
        session.add(dataset)
        session.flush()
        return dataset.id


def dataset_of(dataset_id: UUID) -> Dataset:
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        assert dataset is not None
        return dataset


def test_a_job_runs_and_its_dataset_becomes_ready(rig: Rig, files: dict[str, str]) -> None:
    dataset_id = new_dataset()
    job_id = rig.create(
        JobKind.DATASET_IMPORT, resource=(ResourceType.DATASET, dataset_id), **files
    )
    running(rig, files, job_id)
    seen = wait_for(lambda: (j := rig.job(job_id)).progress > 0 and j, "progress")
    assert seen.message is not None
    assert seen.message.startswith("Working")
    wait_for(lambda: dataset_of(dataset_id).progress, "progress of the dataset")
    release(files)
    job = rig.wait_state(job_id, S.SUCCEEDED)
    assert (job.attempt, job.progress, job.result) == (1, 100.0, {"attempt": 1})
    assert (job.lease_owner, job.error_code) == (None, None)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.seq > seen.seq
    dataset = dataset_of(dataset_id)
    assert (dataset.status, dataset.progress) == (DatasetStatus.READY, 100.0)
    assert not list((rig.settings.run_dir / "jobs").glob(f"{job_id}*"))


@pytest.mark.parametrize(
    ("mode", "code", "text"),
    [
        ("fail", "DATASET_EMPTY", "No document held any text."),
        ("crash", "INTERNAL_ERROR", "Something went wrong inside the job."),
        ("memory", "OUT_OF_MEMORY", "This machine ran out of memory."),
        ("exit", "INTERNAL_ERROR", "Something went wrong inside the job."),
    ],
)
def test_a_failure_is_stored_with_its_code(rig: Rig, mode: str, code: str, text: str) -> None:
    dataset_id = new_dataset()
    resource = (ResourceType.DATASET, dataset_id)
    job_id = rig.create(JobKind.DATASET_IMPORT, resource=resource, mode=mode)
    job = rig.wait_state(job_id, S.FAILED)
    assert job.error_code == code
    assert job.error_message is not None
    assert job.error_message.startswith(text)
    assert "secret" not in f"{job.error_message}{job.error_details}"
    dataset = dataset_of(dataset_id)
    assert (dataset.status, dataset.error_message) == (DatasetStatus.ERROR, job.error_message)
    if mode == "crash":
        log = rig.settings.logs_dir / "jobs" / f"{job_id}.log"
        assert "secret particulars" in log.read_text()


@pytest.mark.fault(21)
def test_cancel_of_a_running_job_reaches_it(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(**files)
    running(rig, files, job_id)
    assert rig.request(job_id, JobAction.CANCEL) is S.RUNNING
    assert rig.request(job_id, JobAction.CANCEL) in {S.RUNNING, S.CANCELLED}  # it may be quick
    job = rig.wait_state(job_id, S.CANCELLED)
    assert lines(files) == ["1", "1 cancel"]
    assert job.requested is None
    assert rig.request(job_id, JobAction.CANCEL) is S.CANCELLED


@pytest.mark.fault(21)
def test_cancel_before_the_child_is_up(rig: Rig, files: dict[str, str]) -> None:
    with rig.frozen(rig.nursery_pid()):
        job_id = rig.create(**files)
        rig.wait_state(job_id, S.STARTING)
        rig.request(job_id, JobAction.CANCEL)
        rig.wait_state(job_id, S.CANCELLED)
    rig.wait_state(rig.create(), S.SUCCEEDED)  # the nursery has come to that order, too
    assert lines(files) == []


@pytest.mark.fault(21)
def test_a_deaf_child_is_killed_after_the_grace(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(mode="deaf", **files)
    running(rig, files, job_id)
    child = rig.child_pid(job_id)
    rig.request(job_id, JobAction.CANCEL)
    rig.wait_state(job_id, S.CANCELLED)
    assert not Path(f"/proc/{child}").exists()


@pytest.mark.fault(21)
def test_cancel_after_success_is_refused(rig: Rig) -> None:
    job_id = rig.create()
    rig.wait_state(job_id, S.SUCCEEDED)
    with pytest.raises(IllegalTransition, match="already ended"):
        rig.request(job_id, JobAction.CANCEL)


def test_pause_and_resume(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(**files)
    running(rig, files, job_id)
    rig.request(job_id, JobAction.PAUSE)
    paused = rig.wait_state(job_id, S.PAUSED)
    assert (paused.reason, paused.lease_owner) == ("user", None)
    assert find_process("app.workers.child", str(job_id)) is None
    rig.resume(job_id)
    running(rig, files, job_id, attempt=2)
    release(files)
    job = rig.wait_state(job_id, S.SUCCEEDED)
    assert (job.attempt, job.max_attempts) == (2, 4)
    assert lines(files) == ["1", "1 pause", "2"]


def test_stop_ends_a_job_for_good(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(**files)
    running(rig, files, job_id)
    rig.request(job_id, JobAction.STOP)
    rig.wait_state(job_id, S.STOPPED)
    with pytest.raises(IllegalTransition):
        rig.resume(job_id)


@pytest.mark.fault(1)
def test_a_killed_child_runs_again(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(**files)
    running(rig, files, job_id)
    os.kill(rig.child_pid(job_id), signal.SIGKILL)
    running(rig, files, job_id, attempt=2)
    release(files)
    job = rig.wait_state(job_id, S.SUCCEEDED)
    assert (job.attempt, job.error_code) == (2, None)


@pytest.mark.fault(1)
def test_a_job_that_always_dies_fails_in_the_end(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(mode="die", max_attempts=2, **files)
    job = rig.wait_state(job_id, S.FAILED)
    assert (job.attempt, job.error_code) == (2, "WORKER_LOST")
    assert lines(files) == ["1", "2"]


@pytest.mark.fault(7)
def test_twenty_deliveries_make_one_run(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(**files)
    for _ in range(20):
        sender.send(job_id, 1, "analysis")
    running(rig, files, job_id)
    probe = rig.create()  # goes through the same queue after the duplicates
    rig.wait_state(probe, S.SUCCEEDED)
    assert lines(files) == ["1"]
    release(files)
    assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 1


@pytest.mark.fault(4)
def test_an_attempt_that_was_taken_over_writes_nothing(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(**files)
    running(rig, files, job_id)
    child = rig.child_pid(job_id)
    with session_scope() as session:
        session.get_one(type(rig.job(job_id)), job_id).attempt = 5
    wait_for(lambda: not Path(f"/proc/{child}").exists(), "child gone")
    job = rig.job(job_id)
    assert (job.attempt, job.state) == (5, S.RUNNING)
    with session_scope() as session:
        session.get_one(type(job), job_id).state = S.FAILED
