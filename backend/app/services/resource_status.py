"""The one place where a job's state becomes the status of the thing that it works on."""

from collections.abc import Sequence
from typing import cast

from sqlalchemy import func, update
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
from app.db.models import Activation, Dataset, Job, LanguageModel, Tokenization, Training
from app.db.repositories import trainings

Resource = Dataset | Tokenization | LanguageModel | Activation | Training

TABLES: dict[ResourceType, type[Resource]] = {
    ResourceType.DATASET: Dataset,
    ResourceType.TOKENIZATION: Tokenization,
    ResourceType.MODEL: LanguageModel,
    ResourceType.ACTIVATION: Activation,
    ResourceType.TRAINING: Training,
}

Statuses = dict[JobState, str]


def _statuses(waiting: str, working: str, done: str, failed: str, paused: str) -> Statuses:
    return {
        JobState.QUEUED: waiting,
        JobState.STARTING: waiting,
        JobState.RUNNING: working,
        JobState.PAUSED: paused,
        JobState.SUCCEEDED: done,
        JobState.STOPPED: failed,
        JobState.CANCELLED: failed,
        JobState.FAILED: failed,
    }


def _dataset(working: DatasetStatus) -> Statuses:
    return _statuses(working, working, DatasetStatus.READY, DatasetStatus.ERROR, working)


def _model(working: ModelStatus) -> Statuses:
    return _statuses(working, working, ModelStatus.READY, ModelStatus.ERROR, working)


# Kinds that are not here (deletes, discovery, steering) leave the status alone. So does
# ``interrupted``: the job goes on in a moment, or fails.
STATUS_OF_JOB: dict[JobKind, Statuses] = {
    JobKind.DATASET_DOWNLOAD: _dataset(DatasetStatus.DOWNLOADING),
    JobKind.DATASET_IMPORT: _dataset(DatasetStatus.INGESTING),
    JobKind.DATASET_TOKENIZE: _statuses(
        TokenizationStatus.QUEUED,
        TokenizationStatus.RUNNING,
        TokenizationStatus.READY,
        TokenizationStatus.ERROR,
        TokenizationStatus.QUEUED,
    ),
    JobKind.MODEL_DOWNLOAD: _model(ModelStatus.DOWNLOADING),
    JobKind.MODEL_IMPORT: _model(ModelStatus.LOADING),
    JobKind.ACTIVATION_EXTRACT: _statuses(
        ActivationStatus.QUEUED,
        ActivationStatus.EXTRACTING,
        ActivationStatus.READY,
        ActivationStatus.ERROR,
        ActivationStatus.QUEUED,
    ),
    JobKind.SAE_IMPORT: _statuses(
        TrainingStatus.INITIALIZING,
        TrainingStatus.INITIALIZING,
        TrainingStatus.COMPLETED,
        TrainingStatus.ERROR,
        TrainingStatus.INITIALIZING,
    ),
    JobKind.TRAINING_RUN: _statuses(
        TrainingStatus.INITIALIZING,
        TrainingStatus.TRAINING,
        TrainingStatus.COMPLETED,
        TrainingStatus.ERROR,
        TrainingStatus.PAUSED,
    )
    | {JobState.STOPPED: TrainingStatus.STOPPED, JobState.CANCELLED: TrainingStatus.STOPPED},
}
STATUS_OF_JOB[JobKind.TRAINING_GRID] = STATUS_OF_JOB[JobKind.TRAINING_RUN]

ENDED_WITHOUT_RESULT = {
    JobState.CANCELLED: "Cancelled before it was finished.",
    JobState.STOPPED: "Stopped before it was finished.",
}


def sync(session: Session, job: Job) -> None:
    """Bring status, progress, error text and times of the job's resource in line with the job."""
    statuses = STATUS_OF_JOB.get(job.kind)
    if statuses is None or job.resource_type is None or job.state not in statuses:
        return
    for resource in _resources(session, job, TABLES[job.resource_type]):
        _bring_in_line(resource, job, statuses[job.state])
    session.flush()


def _resources(session: Session, job: Job, table: type[Resource]) -> Sequence[Resource]:
    """What a job works on: all that share it, else the one that it names."""
    if job.kind is JobKind.TRAINING_GRID:
        return trainings.list_sharing(session, job.id, lock=True)
    found = session.get(table, job.resource_id, with_for_update=True, populate_existing=True)
    return [] if found is None else [cast(Resource, found)]


def _bring_in_line(resource: Resource, job: Job, status: str) -> None:
    values: dict[str, object] = {"status": status, "error_message": _error_text(job, status)}
    if job.state is JobState.SUCCEEDED:
        values["progress"] = 100.0
    if isinstance(resource, Training):
        values |= _training_times(resource, job)
    for name, value in values.items():
        setattr(resource, name, value)


def copy_progress(session: Session, job: Job) -> None:
    """Write a running job's progress to its resource, in a statement of its own."""
    if job.kind not in STATUS_OF_JOB or job.resource_type is None:
        return
    table = TABLES[job.resource_type]
    is_its = table.id == job.resource_id
    if job.kind is JobKind.TRAINING_GRID:
        is_its = Training.shared_run_id == job.id
    session.execute(
        update(table).where(is_its).values(progress=job.progress),
        execution_options={"synchronize_session": False},
    )


def _error_text(job: Job, status: str) -> str | None:
    if job.state in {JobState.FAILED, JobState.PAUSED}:
        return job.error_message
    return ENDED_WITHOUT_RESULT.get(job.state) if status == "error" else None


def _training_times(training: Training, job: Job) -> dict[str, object]:
    values: dict[str, object] = {}
    if job.state is JobState.RUNNING and training.started_at is None:
        values["started_at"] = func.now()
    values["completed_at"] = func.now() if job.state.is_terminal else None
    return values
