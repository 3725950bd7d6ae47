"""The runs of a training: each is a job that goes on from the latest checkpoint.

A run may be shared: then it trains several dictionaries in one pass over the activations.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind, ResourceType
from app.db.models import Job, Training
from app.db.repositories import jobs, trainings
from app.schemas.job import JobSummary
from app.services import job_service
from app.services.job_service import Link
from app.services.job_summaries import summaries

WITHOUT_EVALUATION = "without_evaluation"


def run_of(session: Session, training_id: UUID) -> Job | None:
    """The newest run of a training, whatever else was done with it since."""
    shared = trainings.shared_runs(session, [training_id]).get(training_id)
    if shared is not None:
        return shared
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
    training.shared_run_id = None
    payload = {} if evaluate else {WITHOUT_EVALUATION: True}
    resource = (ResourceType.TRAINING, training.id)
    return job_service.create_job(
        session, JobKind.TRAINING_RUN, *resource, payload, link=link, estimate=estimate
    )


def runs_of(session: Session, training_ids: Sequence[UUID]) -> dict[UUID, JobSummary]:
    """The newest run of each training, its own or one that it shares."""
    own = summaries(session, ResourceType.TRAINING, training_ids, kind=JobKind.TRAINING_RUN)
    shared = trainings.shared_runs(session, training_ids)
    return own | {key: JobSummary.model_validate(job) for key, job in shared.items()}
