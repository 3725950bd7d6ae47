"""What every job on a training's features needs, and what may run beside it."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import TRAINING_RUNS, JobKind, ResourceType
from app.core.errors import NotReady
from app.db.models import Training
from app.db.repositories import features
from app.schemas.common import JobAccepted
from app.services import job_service
from app.services.job_summaries import accepted
from app.services.lookup import require_training
from app.services.usage import refuse_if_busy

# These read features, or go on with the dictionary and leave its features alone.
NO_HINDRANCE = TRAINING_RUNS | {JobKind.TRAINING_EVALUATE}


def require_discovered(session: Session, training_id: UUID) -> Training:
    """The locked row of a training whose features were found.

    Raises:
        TrainingNotFound: There is no such training.
        NotReady: It has no features yet.
    """
    training = require_training(session, training_id, lock=True)
    if not features.count_by_training(session, [training.id]):
        raise NotReady(
            f'The training "{training.name}" has no features yet. Discover them first.',
            details={"training_id": str(training.id)},
        )
    return training


def refuse_if_features_busy(
    session: Session, training: Training, *, besides: Collection[JobKind] = ()
) -> None:
    """Refuse while another job works on the features.

    Args:
        session: Open session.
        training: Theirs.
        besides: Further kinds of jobs that are no hindrance.

    Raises:
        InUse: One has not ended.
    """
    refuse_if_busy(
        session,
        f'The training "{training.name}"',
        ResourceType.TRAINING,
        training.id,
        besides={*NO_HINDRANCE, *besides},
    )


def queue_on_features(
    session: Session, kind: JobKind, training: Training, payload: dict[str, Any]
) -> JobAccepted:
    """Queue a job on the features."""
    job = job_service.create_job(session, kind, ResourceType.TRAINING, training.id, payload)
    return accepted(job)
