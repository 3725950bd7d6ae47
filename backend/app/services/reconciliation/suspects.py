"""What a job was reading when it died of a damaged file: found, marked and moved out of reach."""

import logging
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import ActivationStatus, ResourceType
from app.core.paths import activation_dir
from app.db.models import Activation, Job, Training
from app.services.reconciliation.finding import quarantine
from app.services.reconciliation.missing_files import GONE, damaged_file

logger = logging.getLogger(__name__)


def condemn_damaged(session: Session, settings: Settings, job_id: UUID) -> str | None:
    """Keep the next job from reading what this one died of.

    The store's row becomes an error that says what to do, and the damaged file goes to
    ``lost+found``: nobody maps it again, nobody loses it.

    Returns:
        What was wrong, in words; None when everything that the job reads is whole.
    """
    store = _store_read_by(session, job_id)
    if store is None:
        return None
    folder = settings.data_root / activation_dir(store.id)
    found = damaged_file(folder)
    if found is None:
        return None
    name, problem = found
    store.status, store.error_message = ActivationStatus.ERROR, GONE
    quarantine(settings.data_root, folder / name)
    logger.warning("damaged file moved away", extra={"store": str(store.id), "problem": problem})
    return f"activation store {store.id}: {problem}"


def _store_read_by(session: Session, job_id: UUID) -> Activation | None:
    job = session.get(Job, job_id)
    if job is None or job.resource_type is not ResourceType.TRAINING:
        return None
    training = session.get(Training, job.resource_id)
    if training is None or training.activation_id is None:
        return None
    return session.get(Activation, training.activation_id)
