"""The compare-and-set on jobs: of two that want the same attempt, one gets it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import func

from app.core.config import Settings
from app.core.enums import JobKind, JobState
from app.db.models import Job
from app.db.repositories import jobs
from app.db.session import session_scope
from app.workers.lease import Lease

LEASE = timedelta(seconds=30)


@pytest.fixture
def job_id(servers: Settings) -> UUID:
    with session_scope() as session:
        job = Job(kind=JobKind.DATASET_DELETE, queue="analysis", state=JobState.QUEUED)
        session.add(job)
        session.flush()
        return job.id


@pytest.mark.fault(7)
def test_eight_claims_at_once_make_one_owner(servers: Settings, job_id: UUID) -> None:
    barrier = Barrier(8)

    def claim(number: int) -> bool:
        lease = Lease(servers, job_id, 1, f"owner-{number}")
        barrier.wait()
        return lease.reserve() is not None and lease.claim()

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, range(8)))
    assert sum(won) == 1
    with session_scope() as session:
        job = session.get_one(Job, job_id)
        assert job.state is JobState.STARTING
        assert job.lease_owner == f"owner-{won.index(True)}"


def test_an_outdated_message_reserves_nothing(job_id: UUID) -> None:
    with session_scope() as session:
        assert not jobs.reserve(session, job_id, 2, "late", LEASE)
        assert jobs.reserve(session, job_id, 1, "first", LEASE)
        assert jobs.reserve(session, job_id, 1, "first", LEASE)
        assert not jobs.reserve(session, job_id, 1, "second", LEASE)


def test_a_reservation_that_ran_out_is_free(job_id: UUID) -> None:
    with session_scope() as session:
        assert jobs.reserve(session, job_id, 1, "gone", timedelta(0))
    with session_scope() as session:
        assert jobs.reserve(session, job_id, 1, "next", LEASE)
        assert not jobs.extend_lease(session, job_id, 1, "gone", LEASE)
        assert jobs.extend_lease(session, job_id, 1, "next", LEASE)


def test_a_claim_needs_the_reservation(servers: Settings, job_id: UUID) -> None:
    assert Lease(servers, job_id, 1, "me").reserve() is not None
    assert not Lease(servers, job_id, 1, "somebody else").claim()
    mine = Lease(servers, job_id, 1, "me")
    assert mine.claim()
    assert mine.claim()  # again after a lost answer


def test_a_released_job_is_sent_again_at_once(job_id: UUID) -> None:
    with session_scope() as session:
        jobs.mark_dispatched(session, job_id, 1)
        assert jobs.reserve(session, job_id, 1, "me", LEASE)
    with session_scope() as session:
        assert job_id not in [job.id for job in jobs.list_queued(session, timedelta(0))]
        assert jobs.release(session, job_id, 1, "me")
    with session_scope() as session:
        assert job_id in [job.id for job in jobs.list_queued(session, timedelta(hours=1))]


@pytest.mark.fault(19)
def test_lease_age_is_measured_by_the_database(job_id: UUID) -> None:
    with session_scope() as session:
        job = session.get_one(Job, job_id)
        job.lease_expires_at = func.now() - timedelta(seconds=60)
        session.flush()
        age = jobs.lease_age(session, job_id)
        assert age is not None
        assert timedelta(seconds=59) < age < timedelta(seconds=90)
        job.lease_expires_at = func.now() + timedelta(seconds=60)
        session.flush()
        assert jobs.lease_age(session, job_id) is None


def test_progress_of_another_attempt_is_refused_and_seq_grows(job_id: UUID) -> None:
    with session_scope() as session:
        assert jobs.write_progress(session, job_id, 2, {"progress": 5.0}) is None
        first = jobs.write_progress(session, job_id, 1, {"progress": 5.0})
        assert first is not None
        assert (first.progress, first.seq) == (5.0, jobs.SEQ_STRIDE)
        second = jobs.write_progress(session, job_id, 1, {"message": "on"})
        assert second is not None
        assert second.seq == 2 * jobs.SEQ_STRIDE
