"""Requests on jobs: at once where no process holds the job, a flag where one does."""

from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from app.core.enums import JobAction, JobKind, JobState, ResourceType
from app.core.errors import IllegalTransition
from app.db.models import Job
from app.services import job_service
from tests.factories.rows import make_dataset

S = JobState
A = JobAction


def add_job(session: Session, state: JobState) -> Job:
    job = Job(kind=JobKind.DATASET_DELETE, queue="analysis", state=state)
    session.add(job)
    session.flush()
    return job


@pytest.mark.parametrize("state", [S.QUEUED, S.PAUSED, S.INTERRUPTED])
@pytest.mark.parametrize(
    ("action", "to"), [(A.PAUSE, S.PAUSED), (A.STOP, S.STOPPED), (A.CANCEL, S.CANCELLED)]
)
def test_a_job_that_nobody_holds_changes_at_once(
    session: Session, state: JobState, action: JobAction, to: JobState
) -> None:
    job = job_service.request(session, add_job(session, state).id, action)
    assert (job.state, job.requested) == (to, None)


@pytest.mark.parametrize("state", [S.STARTING, S.RUNNING])
def test_a_held_job_is_flagged_and_stronger_requests_win(session: Session, state: JobState) -> None:
    job = add_job(session, state)
    job_service.request(session, job.id, A.PAUSE)
    assert (job.state, job.requested) == (state, A.PAUSE)
    assert job.requested_at is not None
    job_service.request(session, job.id, A.CANCEL)
    job_service.request(session, job.id, A.STOP)
    assert job.requested is A.CANCEL


@pytest.mark.parametrize("state", [S.SUCCEEDED, S.FAILED, S.STOPPED])
def test_an_ended_job_refuses(session: Session, state: JobState) -> None:
    job = add_job(session, state)
    with pytest.raises(IllegalTransition, match=f"already ended \\({state}\\)"):
        job_service.request(session, job.id, A.CANCEL)


def test_resume_costs_no_attempt_and_may_come_twice(session: Session) -> None:
    job = add_job(session, S.PAUSED)
    job_service.resume(session, job.id)
    job_service.resume(session, job.id)
    assert (job.state, job.attempt, job.max_attempts) == (S.QUEUED, 2, 4)


@pytest.mark.parametrize("state", [S.RUNNING, S.SUCCEEDED, S.CANCELLED])
def test_only_a_paused_job_resumes(session: Session, state: JobState) -> None:
    with pytest.raises(IllegalTransition):
        job_service.resume(session, add_job(session, state).id)


def test_requests_on_unknown_jobs(session: Session) -> None:
    with pytest.raises(job_service.JobNotFound):
        job_service.request(session, uuid4(), A.CANCEL)
    with pytest.raises(job_service.JobNotFound):
        job_service.resume(session, uuid4())


def test_the_latest_job_of_a_resource(session: Session) -> None:
    dataset = make_dataset(session)
    kind, type_ = JobKind.DATASET_IMPORT, ResourceType.DATASET
    first = job_service.create_job(session, kind, type_, dataset.id, {"n": 1})
    second = job_service.create_job(session, kind, type_, dataset.id, {"n": 2})
    second.created_at = first.created_at.replace(year=first.created_at.year + 1)
    session.flush()
    assert job_service.latest_job_for(session, type_, dataset.id) is second
    assert job_service.latest_jobs_for(session, type_, [dataset.id, uuid4()]) == {
        dataset.id: second
    }
    assert first.queue == "downloads"
    rows = job_service.list_jobs(session, resource_type=type_, resource_id=dataset.id, limit=1)
    assert (rows.items, rows.total, rows.has_next) == ([second], 2, True)
    assert job_service.list_jobs(session, states=[S.FAILED], resource_id=dataset.id).total == 0


def test_a_steering_job_names_its_prompt() -> None:
    def prompt_of(payload: dict[str, object]) -> str | None:
        return Job(kind=JobKind.STEERING_GENERATE, payload=payload).prompt

    assert prompt_of({"config": {"prompt": " Once\n upon a time "}}) == "Once upon a time"
    assert (
        prompt_of({"prompts": ["We shall", "see"], "config": {"prompt": "We shall"}}) == "We shall"
    )
    assert prompt_of({"config": {"prompt": "word " * 40}}) == ("word " * 16).strip() + "…"
    assert prompt_of({"config": {"k": 3}}) is None
    assert prompt_of({}) is None
