"""The table of transitions, what each one stamps, and what it does to the resource."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.core.enums import (
    ActivationStatus,
    DatasetStatus,
    JobKind,
    JobState,
    ModelStatus,
    ResourceType,
    TokenizationStatus,
    TrainingStatus,
)
from app.core.errors import IllegalTransition, NotFound, ValidationFailed
from app.db.models import Job
from app.services import job_service
from app.services.job_lifecycle import TRANSITIONS, StaleAttempt, can_change, transition
from app.services.resource_status import STATUS_OF_JOB
from tests.factories.rows import (
    make_activation,
    make_dataset,
    make_model,
    make_tokenization,
    make_training,
)

S = JobState
ENDED = [state for state in JobState if state.is_terminal]


def add_job(session: Session, state: JobState, **values: Any) -> Job:
    job = Job(**{"kind": JobKind.DATASET_DELETE, "queue": "analysis", "state": state} | values)
    session.add(job)
    session.flush()
    return job


@pytest.mark.parametrize(("state", "to"), list(product(JobState, JobState)))
def test_every_pair_follows_the_table(session: Session, state: JobState, to: JobState) -> None:
    job = add_job(session, state)
    if can_change(state, to):
        assert transition(session, job, to).state is to
    else:
        with pytest.raises(IllegalTransition, match=f"{state} cannot become {to}"):
            transition(session, job, to)
        assert job.state is state


def test_ended_jobs_stay_ended_and_nothing_repeats_itself() -> None:
    assert all(not TRANSITIONS[state] for state in ENDED)
    assert all(state not in TRANSITIONS[state] for state in JobState)
    assert set(TRANSITIONS) == set(JobState)


def test_a_later_attempt_fences_the_earlier_one(session: Session) -> None:
    job = add_job(session, S.RUNNING, attempt=2)
    with pytest.raises(StaleAttempt):
        transition(session, job, S.SUCCEEDED, attempt=1)
    assert transition(session, job, S.SUCCEEDED, attempt=2).progress == 100.0


def test_a_deleted_job_cannot_change(session: Session) -> None:
    job = add_job(session, S.RUNNING)
    session.delete(job)
    session.flush()
    with pytest.raises(NotFound):
        transition(session, job, S.SUCCEEDED)


def test_stamps_of_a_life(session: Session) -> None:
    job = add_job(session, S.QUEUED, lease_owner="me")
    transition(session, job, S.STARTING)
    assert job.started_at is not None
    assert job.lease_owner == "me"
    first = job.seq
    transition(session, job, S.RUNNING)
    assert job.seq > first
    failed = ValidationFailed("k is larger than the number of latents.", details={"k": 9})
    transition(session, job, S.FAILED, error=failed)
    assert job.finished_at is not None
    assert (job.lease_owner, job.error_code) == (None, "VALIDATION_ERROR")
    assert (job.error_message, job.error_details) == (failed.message, {"k": 9})


def test_queueing_again_is_the_next_attempt(session: Session) -> None:
    job = add_job(session, S.PAUSED, message="old", requested="pause")
    transition(session, job, S.QUEUED, reason="user")
    assert (job.attempt, job.message, job.requested, job.reason) == (2, None, None, "user")
    assert job.dispatched_at is not None


MAKERS: dict[ResourceType, Any] = {
    ResourceType.DATASET: make_dataset,
    ResourceType.MODEL: make_model,
    ResourceType.TOKENIZATION: lambda s: make_tokenization(s, make_dataset(s), make_model(s)),
    ResourceType.ACTIVATION: make_activation,
    ResourceType.TRAINING: make_training,
}
CASES = [
    (JobKind.DATASET_DOWNLOAD, ResourceType.DATASET, S.RUNNING, DatasetStatus.DOWNLOADING),
    (JobKind.DATASET_IMPORT, ResourceType.DATASET, S.RUNNING, DatasetStatus.INGESTING),
    (JobKind.DATASET_IMPORT, ResourceType.DATASET, S.SUCCEEDED, DatasetStatus.READY),
    (JobKind.DATASET_IMPORT, ResourceType.DATASET, S.CANCELLED, DatasetStatus.ERROR),
    (JobKind.MODEL_DOWNLOAD, ResourceType.MODEL, S.RUNNING, ModelStatus.DOWNLOADING),
    (JobKind.MODEL_IMPORT, ResourceType.MODEL, S.RUNNING, ModelStatus.LOADING),
    (JobKind.MODEL_IMPORT, ResourceType.MODEL, S.FAILED, ModelStatus.ERROR),
    (JobKind.DATASET_TOKENIZE, ResourceType.TOKENIZATION, S.RUNNING, TokenizationStatus.RUNNING),
    (JobKind.ACTIVATION_EXTRACT, ResourceType.ACTIVATION, S.PAUSED, ActivationStatus.QUEUED),
    (JobKind.ACTIVATION_EXTRACT, ResourceType.ACTIVATION, S.RUNNING, ActivationStatus.EXTRACTING),
    (JobKind.TRAINING_RUN, ResourceType.TRAINING, S.RUNNING, TrainingStatus.TRAINING),
    (JobKind.TRAINING_RUN, ResourceType.TRAINING, S.PAUSED, TrainingStatus.PAUSED),
    (JobKind.TRAINING_RUN, ResourceType.TRAINING, S.STOPPED, TrainingStatus.STOPPED),
    (JobKind.TRAINING_RUN, ResourceType.TRAINING, S.CANCELLED, TrainingStatus.STOPPED),
    (JobKind.TRAINING_RUN, ResourceType.TRAINING, S.SUCCEEDED, TrainingStatus.COMPLETED),
    (JobKind.TRAINING_RUN, ResourceType.TRAINING, S.FAILED, TrainingStatus.ERROR),
]


@pytest.mark.parametrize(("kind", "resource_type", "to", "status"), CASES)
def test_the_resource_follows(
    session: Session, kind: JobKind, resource_type: ResourceType, to: JobState, status: str
) -> None:
    resource = MAKERS[resource_type](session)
    came_from = S.STARTING if to is S.RUNNING else S.RUNNING
    values = {"kind": kind, "resource_type": resource_type, "resource_id": resource.id}
    job = add_job(session, came_from, **values)
    error = ValidationFailed("No.") if to is S.FAILED else None
    transition(session, job, to, error=error)
    session.refresh(resource)
    assert resource.status == status
    is_error = status == "error"
    assert (resource.error_message is not None) == is_error


@pytest.mark.parametrize("kind", [kind for kind in JobKind if kind not in STATUS_OF_JOB])
def test_deletes_discovery_and_steering_leave_the_status_alone(
    session: Session, kind: JobKind
) -> None:
    training = make_training(session, status=TrainingStatus.COMPLETED)
    values = {"resource_type": ResourceType.TRAINING, "resource_id": training.id}
    job = add_job(session, S.RUNNING, kind=kind, **values)
    transition(session, job, S.FAILED, error=ValidationFailed("No."))
    session.refresh(training)
    assert training.status is TrainingStatus.COMPLETED


def test_training_times(session: Session) -> None:
    training = make_training(session, status=TrainingStatus.INITIALIZING)
    training.started_at = training.completed_at = None
    job = job_service.create_job(
        session, JobKind.TRAINING_RUN, ResourceType.TRAINING, training.id, {}
    )
    for state in (S.STARTING, S.RUNNING, S.SUCCEEDED):
        transition(session, job, state)
    session.refresh(training)
    assert training.started_at is not None
    assert training.completed_at is not None
    assert training.progress == 100.0
