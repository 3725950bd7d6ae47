"""The runs of a training: each is a job that goes on from the latest checkpoint."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind, ResourceType
from app.db.models import Job, Training
from app.db.repositories import jobs
from app.services import job_service


def run_of(session: Session, training_id: UUID) -> Job | None:
    """The newest run of a training, whatever else was done with it since."""
    return jobs.latest_of_kind(session, JobKind.TRAINING_RUN, training_id)


def queue_run(session: Session, training: Training) -> Job:
    """Queue a run; it starts at the latest checkpoint, or at the beginning without one."""
    training.evaluation = None
    return job_service.create_job(
        session, JobKind.TRAINING_RUN, ResourceType.TRAINING, training.id, {}
    )
