"""Which events a job's change of state sends."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import ErrorCode, JobKind, JobState
from app.db.models import Job, Training
from app.db.repositories import trainings
from app.schemas.events import (
    Event,
    JobUpdated,
    TrainingCompleted,
    TrainingCompletedData,
    TrainingError,
    TrainingErrorData,
)
from app.schemas.job import JobRead
from app.services import outbox


def job_updated(job: Job) -> JobUpdated:
    return JobUpdated(seq=job.seq, data=JobRead.model_validate(job))


def publish_transition(session: Session, job: Job) -> None:
    """Put the events of the job's new state in the outbox."""
    outbox.publish(session, job_updated(job))
    for training_id in _trained(session, job):
        event = _training_event(session, job, training_id)
        if event is not None:
            outbox.publish(session, event)


def _trained(session: Session, job: Job) -> list[UUID]:
    if job.kind is JobKind.TRAINING_GRID:
        return [training.id for training in trainings.list_sharing(session, job.id)]
    if job.kind is JobKind.TRAINING_RUN and job.resource_id is not None:
        return [job.resource_id]
    return []


def _training_event(session: Session, job: Job, training_id: UUID) -> Event | None:
    if job.state is JobState.FAILED:
        failure = TrainingErrorData(
            training_id=training_id,
            code=ErrorCode(job.error_code or ErrorCode.INTERNAL_ERROR),
            message=job.error_message or "",
        )
        return TrainingError(seq=job.seq, error=failure)
    if job.state not in {JobState.SUCCEEDED, JobState.STOPPED}:
        return None
    training = session.get(Training, training_id)
    metric = trainings.latest_metrics(session, [training_id]).get(training_id)
    seconds = None
    if training is not None and training.started_at and training.completed_at:
        seconds = (training.completed_at - training.started_at).total_seconds()
    data = TrainingCompletedData(
        training_id=training_id,
        final_loss=metric.loss if metric else None,
        total_time_seconds=seconds,
    )
    return TrainingCompleted(seq=job.seq, data=data)
