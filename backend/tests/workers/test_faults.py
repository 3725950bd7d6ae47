"""Faults of brokers, clocks and connections that need only workers and servers."""

import threading
import time
from pathlib import Path

import pytest
import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.core.enums import JobAction, JobKind, JobState
from app.core.errors import IllegalTransition
from app.core.release import REVISION
from app.db.session import session_scope
from app.workers import sender
from app.workers.queues import KEY_PREFIX, UNACKED_KEY, task_id
from app.workers.recovery import messages_in_broker
from tests.fixtures.rig import Rig, wait_for
from tests.workers.steps import lines, release, running

pytestmark = pytest.mark.faults
S = JobState


@pytest.mark.fault(8)
def test_a_running_job_is_not_in_the_brokers_hands(rig: Rig, files: dict[str, str]) -> None:
    """What is not in the table of unacknowledged messages cannot become visible again."""
    job_id = rig.create(**files)
    running(rig, files, job_id)
    with redis.Redis.from_url(str(rig.settings.redis_url)) as broker:
        assert broker.hlen(KEY_PREFIX + UNACKED_KEY) == 0
    sender.send(job_id, 1, "analysis")  # the copy that a shorter timeout would have made
    probe = rig.create()
    rig.wait_state(probe, S.SUCCEEDED)
    assert lines(files) == ["1"]
    release(files)
    assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 1


@pytest.mark.fault(9)
def test_a_message_that_died_with_its_worker_is_sent_again(rig: Rig) -> None:
    rig.kill("worker")
    job_id = rig.create()
    # The dead worker's connection may have been given it; the sweeper then sends it again.
    wait_for(lambda: task_id(job_id, 1) in messages_in_broker(rig.settings), "the message")
    with redis.Redis.from_url(str(rig.settings.redis_url)) as broker:
        assert broker.delete(KEY_PREFIX + "analysis") == 1  # popped, and then killed
    assert rig.job(job_id).state is S.QUEUED
    rig.start("worker")
    assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 1


@pytest.mark.fault(25)
def test_a_worker_of_another_version_takes_no_job(rig: Rig) -> None:
    set_revision("9999_future")
    try:
        job_id = rig.create()
        waiting = wait_for(lambda: (job := rig.job(job_id)).message and job, "the reason")
        assert (waiting.state, waiting.attempt) == (S.QUEUED, 1)
        assert "Waiting for a worker of the right version" in str(waiting.message)
        assert "9999_future" in str(waiting.message)
    finally:
        set_revision(str(REVISION))
    job = rig.wait_state(job_id, S.SUCCEEDED)
    assert (job.attempt, job.message) == (1, "Done")


def set_revision(revision: str) -> None:
    with session_scope() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


@pytest.mark.fault(11)
def test_connections_cut_again_and_again_cost_nothing(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(mode="write", **files)
    running(rig, files, job_id)
    over = threading.Event()
    cuts: list[int] = []

    def cut() -> None:
        words = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        while not over.wait(0.1):
            try:
                with session_scope() as session:
                    cuts.append(session.scalar(text(words + others)) or 0)
            except SQLAlchemyError:
                continue

    thread = threading.Thread(target=cut)
    thread.start()
    try:  # the fault itself: thirty times all connections at once, and ten times at the end
        wait_for(lambda: len(cuts) >= 30, "thirty cuts")
        release(files)
        wait_for(lambda: len(cuts) >= 40, "ten more")
    finally:
        over.set()
        thread.join()
    assert sum(cuts) > 10
    job = rig.wait_state(job_id, S.SUCCEEDED)
    assert (job.attempt, job.error_code) == (1, None)


@pytest.mark.fault(21)
@pytest.mark.parametrize("kind", [JobKind.TRAINING_RUN, JobKind.DATASET_DELETE])
def test_a_storm_of_requests_ends_in_one_state(
    rig: Rig, files: dict[str, str], kind: JobKind
) -> None:
    """Pause and cancel against one another, from four sides at once."""
    job_id = rig.create(kind, **files)
    running(rig, files, job_id)
    refused: list[Exception] = []

    def ask(action: JobAction) -> None:
        for _ in range(5):
            try:
                rig.request(job_id, action)
            except IllegalTransition as error:
                refused.append(error)

    actions = [JobAction.PAUSE, JobAction.CANCEL, JobAction.PAUSE, JobAction.CANCEL]
    threads = [threading.Thread(target=ask, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rig.wait_state(job_id, S.CANCELLED)
    assert all("ended" in str(error) for error in refused)


@pytest.mark.fault(21)
def test_a_deaf_job_gives_the_device_back(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(JobKind.TRAINING_RUN, mode="deaf", **files)
    running(rig, files, job_id)
    child = rig.child_pid(job_id)
    began = time.monotonic()
    rig.request(job_id, JobAction.CANCEL)
    job = rig.job(job_id)
    assert job.requested is JobAction.CANCEL or job.state is S.CANCELLED  # visible at once
    wait_for(lambda: not Path(f"/proc/{child}").exists(), "child gone")
    print(f"the device is free after {time.monotonic() - began:.1f} s (aim < 5)")
    rig.wait_state(job_id, S.CANCELLED)
