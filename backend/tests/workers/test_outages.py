"""Workers, Redis and PostgreSQL die or leave in the middle of a job: nothing is lost."""

import signal
from pathlib import Path

import pytest
import redis

from app.core.enums import JobAction, JobKind, JobState
from app.db.models import Job
from app.db.session import session_scope
from app.services import job_service
from app.workers.queues import task_id
from app.workers.recovery import messages_in_broker
from tests.fixtures.rig import Rig, wait_for
from tests.workers.steps import lines, release, running

pytestmark = pytest.mark.faults
S = JobState


@pytest.mark.fault(2)
def test_a_killed_worker_leaves_no_child_and_its_job_runs_again(
    rig: Rig, files: dict[str, str]
) -> None:
    job_id = rig.create(**files)
    running(rig, files, job_id)
    child = rig.child_pid(job_id)
    rig.kill("worker")
    wait_for(lambda: not Path(f"/proc/{child}").exists(), "child gone")
    rig.wait_state(job_id, S.QUEUED, attempt=2)
    rig.start("worker")
    running(rig, files, job_id, attempt=2)
    release(files)
    rig.wait_state(job_id, S.SUCCEEDED)


def test_a_planned_shutdown_pauses_and_the_next_start_resumes(
    rig: Rig, files: dict[str, str]
) -> None:
    rig.kill("sweeper", signal.SIGTERM)  # one that has just started resumes it, too
    job_id = rig.create(**files)
    running(rig, files, job_id)
    rig.kill("worker", signal.SIGTERM)
    paused = rig.job(job_id)
    assert (paused.state, paused.reason) == (S.PAUSED, job_service.SHUTDOWN)
    assert lines(files) == ["1", "1 pause"]
    rig.start("worker")
    running(rig, files, job_id, attempt=2)
    release(files)
    job = rig.wait_state(job_id, S.SUCCEEDED)
    assert job.max_attempts == 4


def test_the_sweeper_resumes_what_a_shutdown_paused(rig: Rig, files: dict[str, str]) -> None:
    rig.kill("sweeper", signal.SIGTERM)
    job_id = rig.create(**files)
    running(rig, files, job_id)
    rig.kill("worker", signal.SIGTERM)
    assert rig.job(job_id).state is S.PAUSED
    rig.start("sweeper")
    rig.wait_state(job_id, S.QUEUED, attempt=2)
    rig.request(job_id, JobAction.CANCEL)
    rig.start("worker")


@pytest.mark.fault(5)
def test_redis_killed_and_restarted(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(**files)
    running(rig, files, job_id)
    assert rig.valkey.process is not None
    rig.valkey.process.kill()
    rig.valkey.process.wait()
    waiting = rig.create()
    assert rig.job(waiting).state is S.QUEUED
    release(files)
    assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 1
    rig.valkey.start()
    assert rig.wait_state(waiting, S.SUCCEEDED).attempt == 1
    following = rig.create()
    assert rig.wait_state(following, S.SUCCEEDED).attempt == 1
    # A worker that subscribes to anything may wait there for ever after such a death.
    with redis.Redis.from_url(str(rig.settings.redis_url)) as broker:
        assert {(c["sub"], c["psub"]) for c in broker.client_list()} == {("0", "0")}


@pytest.mark.fault(10)
def test_postgres_killed_and_restarted(rig: Rig, files: dict[str, str], tmp_path: Path) -> None:
    job_id = rig.create(mode="write", **files)
    running(rig, files, job_id)
    child = rig.child_pid(job_id)
    assert rig.postgres.process is not None
    rig.postgres.process.kill()
    rig.postgres.process.wait()
    release(files)  # the task ends while the database is away
    rig.postgres.start()
    job = rig.wait_state(job_id, S.SUCCEEDED)
    assert (job.attempt, job.result) == (1, {"attempt": 1})
    assert not Path(f"/proc/{child}").exists()


@pytest.mark.fault(10)
def test_rows_written_while_postgres_is_away_arrive_once_it_is_back(
    rig: Rig, files: dict[str, str]
) -> None:
    job_id = rig.create(mode="write_on_go", go=files["trace"] + ".go", **files)
    running(rig, files, job_id)
    assert rig.postgres.process is not None
    rig.postgres.process.kill()
    rig.postgres.process.wait()
    Path(files["trace"] + ".go").touch()
    wait_for(lambda: "written" in lines(files), "the task goes on without the database")
    rig.postgres.start()
    wait_for(lambda: rig.job(job_id).error_details == {"written": True}, "row")
    release(files)
    assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 1


@pytest.mark.fault(9)
def test_a_lost_message_is_sent_again(rig: Rig) -> None:
    with session_scope() as session:
        job = Job(kind=JobKind.DATASET_DELETE, queue="analysis", state=S.QUEUED)
        session.add(job)
        session.flush()
        job_id = job.id
    assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 1


@pytest.mark.fault(6)
def test_a_wiped_broker_loses_no_job(rig: Rig, files: dict[str, str]) -> None:
    rig.kill("worker")
    job_ids = [rig.create() for _ in range(5)]
    # The dead worker's connection may have been given one; the sweeper then sends it again.
    sent = {task_id(job_id, 1) for job_id in job_ids}
    wait_for(lambda: sent <= messages_in_broker(rig.settings), "five messages")
    with redis.Redis.from_url(str(rig.settings.redis_url)) as client:
        client.flushall()
    rig.start("worker")
    for job_id in job_ids:
        assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 1


@pytest.mark.fault(4)
def test_a_stopped_worker_is_late_but_not_dead(rig: Rig, files: dict[str, str]) -> None:
    job_id = rig.create(**files)
    running(rig, files, job_id)
    owner = rig.job(job_id).lease_owner
    assert owner is not None
    pid = int(owner.split("|")[3])
    with rig.frozen(pid):
        with session_scope() as session:
            session.get_one(Job, job_id).lease_expires_at = None  # long over
        probe = rig.create()  # a full round of everything else
        rig.wait_state(probe, S.SUCCEEDED)
        job = rig.job(job_id)
        assert (job.state, job.attempt) == (S.RUNNING, 1)
    release(files)
    assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 1
