"""Which jobs count as lost, and what becomes of them."""

import os
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, update

from app.core.config import Settings, get_settings
from app.core.enums import ErrorCode, JobAction, JobKind, JobState
from app.db.models import Job
from app.db.session import session_scope
from app.services.hub import tokens
from app.services.job_lifecycle import StaleAttempt, transition
from app.workers import recovery
from app.workers.ending import record_outcome
from app.workers.identity import current_process
from app.workers.outcome import Failure, Outcome
from app.workers.sweeper import sweep

S = JobState
ELSEWHERE = "other-host|boot|pid:[1]|5|77"
DEAD_HERE = str(current_process()).rpartition("|")[0] + "|1"


@pytest.fixture(autouse=True)
def _no_other_jobs(servers: Settings) -> None:
    with session_scope() as session:
        session.execute(update(Job).values(state=S.CANCELLED, lease_owner=None))


def add(state: JobState = S.RUNNING, *, expired: float | None = None, **values: Any) -> UUID:
    with session_scope() as session:
        job = Job(kind=JobKind.DATASET_DELETE, queue="analysis", state=state, **values)
        if expired is not None:
            job.lease_expires_at = func.now() - timedelta(seconds=expired)
        session.add(job)
        session.flush()
        return job.id


def row(job_id: UUID) -> Job:
    with session_scope() as session:
        return session.get_one(Job, job_id)


def test_a_dead_process_of_this_machine_is_lost_at_once() -> None:
    job_id = add(lease_owner=DEAD_HERE, expired=-20)
    assert recovery.recover_lost_jobs(get_settings()) == 1
    job = row(job_id)
    assert (job.state, job.attempt, job.reason) == (S.QUEUED, 2, "WORKER_LOST")


@pytest.mark.fault(19)
def test_a_living_process_keeps_its_job_however_late() -> None:
    job_id = add(lease_owner=str(current_process()), expired=3600)
    assert recovery.recover_lost_jobs(get_settings()) == 0
    assert row(job_id).state is S.RUNNING


@pytest.mark.parametrize(("expired", "lost"), [(-10.0, 0), (10.0, 0), (60.0, 1)])
def test_elsewhere_only_the_lease_decides(expired: float, lost: int) -> None:
    add(lease_owner=ELSEWHERE, expired=expired)
    assert recovery.recover_lost_jobs(get_settings()) == lost


def test_the_last_attempt_fails() -> None:
    job_id = add(lease_owner=DEAD_HERE, attempt=3, max_attempts=3)
    recovery.recover_lost_jobs(get_settings())
    job = row(job_id)
    assert (job.state, job.error_code) == (S.FAILED, "WORKER_LOST")


def test_a_pending_request_is_followed() -> None:
    job_id = add(lease_owner=DEAD_HERE, requested=JobAction.CANCEL)
    recovery.recover_lost_jobs(get_settings())
    assert row(job_id).state is S.CANCELLED


def test_a_dead_waiter_gives_its_reservation_back(servers: Settings) -> None:
    job_id = add(S.QUEUED, lease_owner=DEAD_HERE, expired=-20)
    sweep(servers)
    job = row(job_id)
    assert (job.state, job.attempt, job.lease_owner) == (S.QUEUED, 1, None)
    assert job.dispatched_at is not None


def test_only_planned_pauses_resume() -> None:
    planned = add(S.PAUSED, reason="shutdown")
    wanted = add(S.PAUSED, reason="user")
    assert recovery.resume_after_shutdown({"training"}) == 0
    assert recovery.resume_after_shutdown({"analysis"}) == 1
    assert recovery.resume_after_shutdown() == 0
    assert row(planned).state is S.QUEUED
    assert row(wanted).state is S.PAUSED


def test_sweeping_without_servers_waits_for_them(
    servers: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(S.QUEUED)
    away = servers.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    sweep(away)


FULL = Failure(ErrorCode.DISK_FULL, "Full.", {"free_bytes": 1, "needed_bytes": 2})
KILLED = Failure(ErrorCode.WORKER_LOST, "Killed.")
EMPTY = Failure(ErrorCode.DATASET_EMPTY, "Empty.")


@pytest.mark.parametrize(
    ("outcome", "requested", "killed_for", "state", "reason"),
    [
        (Outcome("succeeded"), None, None, S.SUCCEEDED, None),
        (Outcome("succeeded"), JobAction.CANCEL, None, S.SUCCEEDED, None),
        (Outcome("paused"), JobAction.PAUSE, None, S.PAUSED, "user"),
        (Outcome("paused"), JobAction.CANCEL, None, S.CANCELLED, "user"),
        (Outcome("paused", by_shutdown=True), None, None, S.PAUSED, "shutdown"),
        (Outcome("stopped"), JobAction.STOP, None, S.STOPPED, "user"),
        (Outcome("failed", failure=EMPTY), None, None, S.FAILED, None),
        (Outcome("failed", failure=FULL), None, None, S.PAUSED, "disk full"),
        (Outcome("failed", failure=FULL), JobAction.CANCEL, None, S.FAILED, None),
        (Outcome("interrupted"), JobAction.STOP, JobAction.STOP, S.STOPPED, "user"),
        (Outcome("interrupted"), None, JobAction.PAUSE, S.PAUSED, "shutdown"),
        (Outcome("interrupted", failure=KILLED), None, None, S.QUEUED, "WORKER_LOST"),
    ],
)
@pytest.mark.parametrize("came_from", [S.STARTING, S.RUNNING])
def test_how_an_attempt_ends(
    outcome: Outcome,
    requested: JobAction | None,
    killed_for: JobAction | None,
    state: JobState,
    reason: str | None,
    came_from: JobState,
) -> None:
    job_id = add(came_from, requested=requested, lease_owner="me")
    with session_scope() as session:
        job = record_outcome(session, job_id, 1, outcome, killed_for)
        assert (job.state, job.reason, job.lease_owner) == (state, reason, None)


@pytest.mark.parametrize(("state", "attempt"), [(S.RUNNING, 2), (S.CANCELLED, 1)])
def test_a_late_outcome_is_refused(state: JobState, attempt: int) -> None:
    job_id = add(state, attempt=attempt)
    with session_scope() as session, pytest.raises(StaleAttempt):
        record_outcome(session, job_id, 1, Outcome("succeeded"))


@pytest.mark.parametrize(
    ("outcome", "requested", "killed_for", "reason"),
    [
        (Outcome("paused"), None, None, "disk full"),
        (Outcome("interrupted"), None, JobAction.PAUSE, "disk full"),
        (Outcome("paused", by_shutdown=True), None, None, "shutdown"),
        (Outcome("paused"), JobAction.PAUSE, None, "user"),
    ],
)
def test_what_gave_out_pauses_with_its_numbers(
    outcome: Outcome, requested: JobAction | None, killed_for: JobAction | None, reason: str
) -> None:
    job_id = add(requested=requested)
    with session_scope() as session:
        job = record_outcome(session, job_id, 1, outcome, killed_for, FULL)
        assert (job.state, job.reason) == (S.PAUSED, reason)
        if reason == "disk full":
            assert (job.error_code, job.error_details) == ("DISK_FULL", FULL.details)


@pytest.mark.parametrize(
    ("needed", "attempt", "state"), [(1, 1, S.QUEUED), (1 << 60, 1, S.PAUSED), (1, 3, S.PAUSED)]
)
def test_room_on_the_disk_resumes_as_long_as_there_are_attempts(
    servers: Settings, needed: int, attempt: int, state: JobState
) -> None:
    job_id = add(
        S.PAUSED, reason="disk full", attempt=attempt, error_details={"needed_bytes": needed}
    )
    recovery.resume_when_relieved(servers)
    assert row(job_id).state is state


def leave_token(job_id: UUID, *, is_old: bool = False) -> UUID:
    settings = get_settings()
    tokens.leave(settings, job_id, "s3cret")
    if is_old:
        os.utime(settings.run_dir / "secrets" / str(job_id), (0, 0))
    return job_id


@pytest.mark.parametrize("to", [S.STOPPED, S.CANCELLED, S.FAILED])
def test_a_token_goes_with_its_job_that_no_process_ran(to: JobState) -> None:
    job_id = leave_token(add(S.QUEUED))
    with session_scope() as session:
        transition(session, session.get_one(Job, job_id), to)
        assert tokens.read(get_settings(), job_id), "nothing is durable yet"
    assert tokens.read(get_settings(), job_id) is None


@pytest.mark.parametrize("to", [S.PAUSED, S.INTERRUPTED])
def test_a_token_stays_for_a_job_that_starts_again(to: JobState) -> None:
    job_id = leave_token(add())
    with session_scope() as session:
        transition(session, session.get_one(Job, job_id), to)
    assert tokens.read(get_settings(), job_id) == "s3cret"
    tokens.forget(get_settings(), job_id)


def test_a_round_removes_the_tokens_that_were_left_behind() -> None:
    for job_id in (add(S.FAILED), add(S.SUCCEEDED)):
        leave_token(job_id)
    leave_token(uuid4(), is_old=True)
    paused, uncommitted = leave_token(add(S.PAUSED), is_old=True), leave_token(uuid4())
    sweep(get_settings())
    assert set(tokens.list_held(get_settings())) == {paused, uncommitted}
    assert recovery.forget_tokens_of_ended_jobs(get_settings()) == 0
    for job_id in (paused, uncommitted):
        tokens.forget(get_settings(), job_id)
