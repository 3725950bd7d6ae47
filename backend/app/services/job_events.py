"""Which events a job's change of state sends."""

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
    if job.kind is JobKind.TRAINING_RUN:
        event = _training_event(session, job)
        if event is not None:
            outbox.publish(session, event)


def _training_event(session: Session, job: Job) -> Event | None:
    if job.resource_id is None:
        return None
    if job.state is JobState.FAILED:
        failure = TrainingErrorData(
            training_id=job.resource_id,
            code=ErrorCode(job.error_code or ErrorCode.INTERNAL_ERROR),
            message=job.error_message or "",
        )
        return TrainingError(seq=job.seq, error=failure)
    if job.state not in {JobState.SUCCEEDED, JobState.STOPPED}:
        return None
    training = session.get(Training, job.resource_id)
    metric = trainings.latest_metrics(session, [job.resource_id]).get(job.resource_id)
    seconds = None
    if training is not None and training.started_at and training.completed_at:
        seconds = (training.completed_at - training.started_at).total_seconds()
    data = TrainingCompletedData(
        training_id=job.resource_id,
        final_loss=metric.loss if metric else None,
        total_time_seconds=seconds,
    )
    return TrainingCompleted(seq=job.seq, data=data)
