"""What a job was reading when it died of a damaged file: found, marked and moved out of reach."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import ActivationStatus, ResourceType, TokenizationStatus
from app.core.paths import activation_dir, tokenization_dir
from app.db.models import Activation, Job, Tokenization, Training
from app.services.reconciliation.finding import quarantine
from app.services.reconciliation.missing_files import GONE, damaged_file

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Damage:
    """A store with a file that is not as its manifest says.

    Attributes:
        problem: Which store and what is wrong with it, in words.
        remedy: What a person does about it.
    """

    problem: str
    remedy: str


@dataclass(frozen=True)
class _Store:
    row: Activation | Tokenization
    folder: PurePosixPath
    name: str
    remedy: str


def condemn_damaged(session: Session, settings: Settings, job_id: UUID) -> Damage | None:
    """Keep the next job from reading what this one died of.

    The store's row becomes an error that says what to do, and the damaged file goes to
    ``lost+found``: nobody maps it again, nobody loses it.

    Returns:
        What was wrong; None when everything that the job reads is whole.
    """
    for store in _stores_read_by(session, job_id):
        folder = settings.data_root / store.folder
        found = damaged_file(folder)
        if found is None:
            continue
        name, problem = found
        _mark(store.row)
        quarantine(settings.data_root, folder / name)
        extra = {"store": str(store.row.id), "problem": problem}
        logger.warning("damaged file moved away", extra=extra)
        return Damage(f"{store.name} {store.row.id}: {problem}", store.remedy)
    return None


def _mark(row: Activation | Tokenization) -> None:
    row.error_message = GONE
    if isinstance(row, Activation):
        row.status = ActivationStatus.ERROR
    else:
        row.status = TokenizationStatus.ERROR


def _stores_read_by(session: Session, job_id: UUID) -> Iterator[_Store]:
    """Activations and their tokens; an extraction writes the activations and reads the tokens."""
    job = session.get(Job, job_id)
    if job is None or job.resource_id is None:
        return
    activation_id: UUID | None = None
    if job.resource_type is ResourceType.ACTIVATION:
        activation_id = job.resource_id
    elif job.resource_type is ResourceType.TRAINING:
        training = session.get(Training, job.resource_id)
        activation_id = None if training is None else training.activation_id
    store = None if activation_id is None else session.get(Activation, activation_id)
    if store is None:
        return
    if job.resource_type is ResourceType.TRAINING:
        remedy = "extract the activations again"
        yield _Store(store, activation_dir(store.id), "activation store", remedy)
    tokens = None
    if store.tokenization_id is not None:
        tokens = session.get(Tokenization, store.tokenization_id)
    if tokens is not None:
        folder = tokenization_dir(tokens.dataset_id, tokens.id)
        remedy = "tokenise the dataset again and extract the activations from that"
        yield _Store(tokens, folder, "tokens", remedy)
