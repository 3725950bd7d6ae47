"""Jobs that wait for one another: released, given up and repeated together."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.core.enums import ErrorCode, JobAction, JobKind, JobState, ResourceType
from app.core.errors import IllegalTransition, NotReady
from app.db.models import Job
from app.db.repositories import jobs
from app.services import job_retry, job_service, outbox
from app.services.job_chain import NOT_STARTED, WAITS
from app.services.job_lifecycle import transition
from app.services.job_retry import ResourceGone
from app.services.job_service import Link
from app.services.usage import InUse
from app.workers.outcome import Failure
from tests.factories import make_dataset, make_training

S = JobState
LEASE = timedelta(seconds=30)
FULL = Failure(ErrorCode.STORE_INVALID, "A shard is missing.").as_error()


def chain(session: Session, n: int = 3, kind: JobKind = JobKind.DATASET_DELETE) -> list[Job]:
    """Jobs of which each waits for the one before it."""
    found: list[Job] = []
    for _ in range(n):
        before = found[-1].id if found else None
        found.append(
            job_service.create_job(session, kind, None, None, {}, link=Link(waits_for=before))
        )
    return found


def run(session: Session, job: Job) -> Job:
    return transition(session, transition(session, job, S.STARTING), S.RUNNING)


def sent(session: Session) -> set[UUID]:
    """Jobs whose message leaves with this transaction."""
    return {item.job_id for item in outbox._box(session) if isinstance(item, outbox._Message)}


def test_only_the_first_is_handed_out(session: Session) -> None:
    first, second, third = chain(session)
    assert sent(session) == {first.id}
    assert (second.message, third.waits_for) == (WAITS, second.id)
    assert not jobs.reserve(session, second.id, 1, "me", LEASE)
    assert first.id in {job.id for job in jobs.list_queued(session, -LEASE)}
    assert second.id not in {job.id for job in jobs.list_queued(session, -LEASE)}


def test_a_success_releases_the_next_one_only(session: Session) -> None:
    first, second, third = chain(session)
    transition(session, run(session, first), S.SUCCEEDED)
    assert sent(session) == {first.id, second.id}
    assert (second.waits_for, second.message) == (None, None)
    assert third.waits_for == second.id


def test_a_paused_follower_is_released_but_stays_paused(session: Session) -> None:
    first, second, _ = chain(session)
    job_service.request(session, second.id, JobAction.PAUSE)
    transition(session, run(session, first), S.SUCCEEDED)
    assert (second.state, second.waits_for) == (S.PAUSED, None)
    assert second.id not in sent(session)
    job_service.resume(session, second.id)
    assert second.id in sent(session)


def test_resuming_before_its_turn_sends_nothing(session: Session) -> None:
    _, second, _ = chain(session)
    job_service.request(session, second.id, JobAction.PAUSE)
    job_service.resume(session, second.id)
    assert (second.state, second.id in sent(session)) == (S.QUEUED, False)


def test_a_failure_gives_up_the_rest_with_its_reason(session: Session) -> None:
    first, second, third = chain(session)
    job_service.request(session, third.id, JobAction.PAUSE)
    transition(session, run(session, first), S.FAILED, error=FULL)
    for job in (second, third):
        assert (job.state, job.reason, job.error_code) == (S.FAILED, NOT_STARTED, "STORE_INVALID")
        assert job.error_message == (
            "Not started: the dataset delete before it failed. A shard is missing."
        )
    assert sent(session) == {first.id}


def test_a_cancelled_step_gives_up_the_rest(session: Session) -> None:
    first, second, third = chain(session)
    job_service.request(session, second.id, JobAction.CANCEL)
    assert (first.state, second.state, third.state) == (S.QUEUED, S.CANCELLED, S.FAILED)
    assert third.error_message == "Not started: the dataset delete before it was cancelled."
    transition(session, run(session, first), S.SUCCEEDED)
    assert second.state is S.CANCELLED


@pytest.mark.parametrize(
    ("kind", "follower"), [(JobKind.TRAINING_RUN, S.QUEUED), (JobKind.DATASET_DELETE, S.FAILED)]
)
def test_a_stopped_training_keeps_what_it_learned(
    session: Session, kind: JobKind, follower: JobState
) -> None:
    first, second = chain(session, 2, kind)
    transition(session, run(session, first), S.STOPPED)
    assert second.state is follower


def test_an_interrupted_step_keeps_the_rest_waiting(session: Session) -> None:
    first, second = chain(session, 2)
    transition(session, run(session, first), S.INTERRUPTED)
    transition(session, first, S.QUEUED)
    assert (second.state, second.waits_for) == (S.QUEUED, first.id)


def test_a_repeated_step_brings_back_those_that_waited_for_it(session: Session) -> None:
    first, second, third = chain(session)
    transition(session, run(session, first), S.FAILED, error=FULL)
    with pytest.raises(NotReady, match="Repeat the one before it"):
        job_retry.retry(session, second.id)
    again = job_retry.retry(session, first.id)
    assert (again.retry_of, again.state, again.attempt) == (first.id, S.QUEUED, 1)
    [next_again] = jobs.list_waiting_for(session, again.id)
    assert next_again.retry_of == second.id
    [last_again] = jobs.list_waiting_for(session, next_again.id)
    assert last_again.retry_of == third.id
    assert sent(session) == {first.id, again.id}


@pytest.mark.parametrize("state", [S.QUEUED, S.RUNNING, S.SUCCEEDED, S.STOPPED, S.PAUSED])
def test_only_what_failed_or_was_cancelled_is_repeated(session: Session, state: JobState) -> None:
    [job] = chain(session, 1)
    job.state = state
    with pytest.raises(IllegalTransition):
        job_retry.retry(session, job.id)


def test_nothing_is_repeated_on_what_is_gone_or_busy(session: Session) -> None:
    dataset = make_dataset(session)
    type_ = ResourceType.DATASET
    job = job_service.create_job(session, JobKind.DATASET_IMPORT, type_, dataset.id, {"path": "p"})
    job_service.request(session, job.id, JobAction.CANCEL)
    again = job_retry.retry(session, job.id)
    assert again.payload == {"path": "p"}
    with pytest.raises(InUse):
        job_retry.retry(session, job.id)
    job_service.request(session, again.id, JobAction.CANCEL)
    session.delete(dataset)
    session.flush()
    with pytest.raises(ResourceGone):
        job_retry.retry(session, job.id)


def test_a_repeated_training_is_not_measured_yet(session: Session) -> None:
    training = make_training(session, evaluation={"figures": []})
    job = job_service.create_job(
        session, JobKind.TRAINING_RUN, ResourceType.TRAINING, training.id, {}
    )
    job_service.request(session, job.id, JobAction.CANCEL)
    job_retry.retry(session, job.id)
    assert training.evaluation is None
