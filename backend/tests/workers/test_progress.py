"""The background writer of a task: coalescing, order, fencing, and a database that is away."""

import time
from collections.abc import Iterator
from threading import Event
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import DatasetStatus, JobKind, JobState, ResourceType
from app.db.models import Dataset, Job
from app.db.repositories.jobs import SEQ_STRIDE
from app.db.session import session_scope
from app.schemas.events import Event as SocketEvent
from app.services.job_lifecycle import StaleAttempt
from app.websocket import publisher
from app.workers.database import fenced_session, fenced_transaction
from app.workers.progress import ROW_INTERVAL_SECONDS, ProgressReporter
from tests.factories import make_job

DEADLINE_SECONDS = 120.0


@pytest.fixture
def job(servers: Settings) -> Job:
    with session_scope() as session:
        dataset = Dataset(name="d", source="Local", status=DatasetStatus.INGESTING)
        session.add(dataset)
        session.flush()
        return make_job(
            session, JobKind.DATASET_IMPORT, JobState.RUNNING, ResourceType.DATASET, dataset.id
        )


@pytest.fixture
def stale() -> Event:
    return Event()


@pytest.fixture
def reporter(job: Job, stale: Event) -> Iterator[ProgressReporter]:
    reporter = ProgressReporter(job.id, 1, on_stale=stale.set)
    reporter.start(job)
    yield reporter
    reporter.close(ignore_failure=True)


def row(job_id: UUID) -> Job:
    with session_scope() as session:
        return session.get_one(Job, job_id)


def say(words: str) -> object:
    def work(session: Session) -> None:
        session.execute(text("UPDATE jobs SET reason = coalesce(reason, '') || :w"), {"w": words})

    return work


def test_many_reports_make_few_writes(
    job: Job, reporter: ProgressReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[SocketEvent] = []

    def publish(event: SocketEvent, room: str | None = None) -> bool:
        events.append(event)
        return True

    monkeypatch.setattr(publisher, "publish", publish)
    started = time.monotonic()
    steps = 0
    # Two events at least, however late the writer is: the second one is of this work.
    while time.monotonic() - started < 2 * ROW_INTERVAL_SECONDS or len(events) < 2:
        assert time.monotonic() - started < DEADLINE_SECONDS
        steps += 1
        reporter.report(steps % 90, 100, "Working", unit="steps", rate=12_345.0)
    reporter.report(100, 100, "Done")
    reporter.close()
    seconds = time.monotonic() - started
    now = row(job.id)
    assert (now.progress, now.message) == (100.0, "Done")
    assert now.seq // SEQ_STRIDE <= seconds / ROW_INTERVAL_SECONDS + 2
    assert 2 <= len(events) <= 4 * seconds + 2
    assert len(events) < steps
    numbers = [event.seq for event in events]
    assert numbers == sorted(set(numbers))
    assert "12,345 steps/s" in str(events[1].model_dump()["data"]["message"])
    with session_scope() as session:
        assert session.get_one(Dataset, job.resource_id).progress == 100.0


def test_queued_work_is_done_in_order(job: Job, reporter: ProgressReporter) -> None:
    with session_scope() as session:
        session.execute(text("UPDATE jobs SET reason = NULL"))
    for word in ("a", "b", "c"):
        reporter.submit(say(word))  # type: ignore[arg-type]
    reporter.flush()
    assert row(job.id).reason == "abc"


def test_work_waits_for_the_database(job: Job, reporter: ProgressReporter) -> None:
    attempts = []

    def work(session: Session) -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise OperationalError("gone", None, Exception())
        session.get_one(Job, job.id).message = "written"

    reporter.submit(work)
    reporter.report(1, 2, "Meanwhile")
    reporter.flush()
    assert len(attempts) == 3
    reporter.close()
    assert row(job.id).message == "Meanwhile"


def test_wrong_work_fails_the_task(reporter: ProgressReporter) -> None:
    def wrong(session: Session) -> None:
        session.execute(text("SELECT no_such_column FROM jobs"))

    reporter.submit(wrong)
    with pytest.raises(Exception, match="no_such_column"):
        reporter.flush()
    with pytest.raises(Exception, match="no_such_column"):
        reporter.close()


def take_over(job_id: UUID) -> None:
    with session_scope() as session:
        session.get_one(Job, job_id).attempt = 2


def test_a_taken_over_attempt_ends(job: Job, reporter: ProgressReporter, stale: Event) -> None:
    take_over(job.id)
    reporter.report(1, 2, "Late")
    assert stale.wait(DEADLINE_SECONDS)
    assert row(job.id).message is None


def test_fenced_transactions(job: Job) -> None:
    def write(session: Session) -> str:
        session.get_one(Job, job.id).message = "mine"
        return "done"

    assert fenced_transaction(job.id, 1, write) == "done"
    take_over(job.id)
    with pytest.raises(StaleAttempt):
        fenced_transaction(job.id, 1, write)

    def late() -> None:
        with fenced_session(job.id, 1) as session:
            session.get_one(Job, job.id).message = "late"

    with pytest.raises(StaleAttempt):
        late()
    assert row(job.id).message == "mine"
