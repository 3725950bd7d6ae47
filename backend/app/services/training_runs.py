"""The runs of a training: each is a job that goes on from the latest checkpoint."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind, ResourceType
from app.db.models import Job, Training
from app.db.repositories import jobs
from app.services import job_service
from app.services.job_service import Link

WITHOUT_EVALUATION = "without_evaluation"


def run_of(session: Session, training_id: UUID) -> Job | None:
    """The newest run of a training, whatever else was done with it since."""
    return jobs.latest_of_kind(session, JobKind.TRAINING_RUN, training_id)


def queue_run(
    session: Session,
    training: Training,
    *,
    link: Link | None = None,
    evaluate: bool = True,
    estimate: dict[str, Any] | None = None,
) -> Job:
    """Queue a run; it starts at the latest checkpoint, or at the beginning without one.

    Args:
        session: Open session.
        training: What to run.
        link: Its place in a workflow.
        evaluate: Whether it ends with the held-out measurement.
        estimate: What it is expected to take.
    """
    training.evaluation = None
    payload = {} if evaluate else {WITHOUT_EVALUATION: True}
    resource = (ResourceType.TRAINING, training.id)
    return job_service.create_job(
        session, JobKind.TRAINING_RUN, *resource, payload, link=link, estimate=estimate
    )
