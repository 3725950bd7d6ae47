"""What jobs that have not ended may be writing."""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import Activation, Job
from app.db.repositories import trainings
from app.db.repositories.jobs import UNFINISHED_STATES


def protected_ids(session: Session) -> frozenset[str]:
    """Ids of unfinished jobs and of everything that they work on or write into."""
    found: set[str] = set()
    for job in session.scalars(select(Job).where(Job.state.in_(UNFINISHED_STATES))):
        found |= {str(job.id), str(job.resource_id)}
        found |= {str(training.id) for training in trainings.list_sharing(session, job.id)}
        store = session.get(Activation, job.resource_id) if job.resource_id else None
        if store is not None:
            found |= {str(store.dataset_id), str(store.tokenization_id)}
    return frozenset(found - {"None"})


def is_protected(path: Path, ids: frozenset[str]) -> bool:
    """Whether a part of the path names one of them."""
    return any(key in part for part in path.parts for key in ids)
