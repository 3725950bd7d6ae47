"""What the jobs of dictionaries read and write."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind, ResourceType
from app.core.paths import checkpoint_dir
from app.db.models import Activation, Checkpoint, Training
from app.db.repositories import activations, trainings
from app.ml.configs import target_hook_type
from app.services import job_service
from app.services.job_service import Link
from app.services.lookup import require_ready_activation, require_training
from app.services.sae_views import EXPORT_PARITY

IMPORTED_STEP = 0


@dataclass(frozen=True)
class ComparePlan:
    """Where real activations of a place come from: a store, or the model itself."""

    model_id: UUID
    activation_id: UUID | None


@dataclass(frozen=True)
class CheckPlan(ComparePlan):
    """A checkpoint whose export is to be proved."""

    layer: int
    reads: str
    writes: str


@dataclass(frozen=True)
class ImportRecord:
    """What an import found; ``origin`` adds to what the request said."""

    layer: int
    hook_type: str
    encoder_type: str
    hyperparameters: dict[str, Any]
    activation_id: UUID | None
    size_bytes: int
    origin: dict[str, Any]
    evaluate: bool


def plan_import(
    session: Session, training_id: UUID, activation_id: UUID | None, layer: int, places: set[str]
) -> ComparePlan:
    """Choose what an import is proved on, now that its place is known.

    Raises:
        TrainingNotFound: The row was deleted.
        NotReady: So was the named store.
    """
    training = require_training(session, training_id)
    if activation_id is not None:
        require_ready_activation(session, activation_id)
        return ComparePlan(training.model_id, activation_id)
    store = find_store(session, training.model_id, layer, places)
    return ComparePlan(training.model_id, store.id if store is not None else None)


def plan_check(session: Session, training_id: UUID) -> CheckPlan:
    """
    Raises:
        TrainingNotFound: The row was deleted.
    """
    training = require_training(session, training_id)
    writes = target_hook_type(training.encoder_type, training.hook_type)
    places = {training.hook_type, writes}
    store = find_store(session, training.model_id, training.layer, places)
    return CheckPlan(
        training.model_id,
        store.id if store is not None else None,
        training.layer,
        training.hook_type,
        writes,
    )


def find_store(session: Session, model_id: UUID, layer: int, places: set[str]) -> Activation | None:
    """The newest finished store of a model that holds places of a layer, on any dataset."""
    return next(
        (
            store
            for store in activations.list_ready(session, model_id)
            if layer in store.layers and places <= set(store.hook_types)
        ),
        None,
    )


def record_import(session: Session, training_id: UUID, job_id: UUID, found: ImportRecord) -> None:
    """Make the row a dictionary with a checkpoint; the measurement of it waits for the import."""
    training = require_training(session, training_id, lock=True)
    training.layer, training.hook_type = found.layer, found.hook_type
    training.encoder_type = type(training.encoder_type)(found.encoder_type)
    training.hyperparameters = found.hyperparameters
    training.origin = (training.origin or {}) | found.origin
    training.activation_id = found.activation_id
    store = session.get(Activation, found.activation_id) if found.activation_id else None
    training.dataset_id = store.dataset_id if store is not None else None
    parity = found.origin["parity"]
    trainings.put_checkpoint(
        session,
        training.id,
        IMPORTED_STEP,
        file_path=str(checkpoint_dir(training.id, IMPORTED_STEP)),
        loss=None,
        file_size_bytes=found.size_bytes,
        metadata={
            "reason": "import",
            "l0": parity["l0"],
            "explained_variance": parity["explained_variance"],
            "quality": parity["explained_variance"],
            "quality_split": "heldout",
        },
    )
    session.flush()
    if found.evaluate and store is not None:
        resource = (ResourceType.TRAINING, training.id)
        link = Link(waits_for=job_id)
        job_service.create_job(session, JobKind.TRAINING_EVALUATE, *resource, {}, link=link)


def record_check(session: Session, training_id: UUID, step: int, parity: dict[str, Any]) -> None:
    """Keep the proof of an export beside its checkpoint, if that still exists."""
    for row in trainings.list_checkpoints(session, training_id):
        if row.step == step:
            row.metadata_ = row.metadata_ | {EXPORT_PARITY: parity}
    session.flush()


def checkpoint_at(session: Session, training: Training, step: int | None) -> Checkpoint | None:
    """The checkpoint of a step, by default the latest."""
    if step is None:
        return trainings.latest_checkpoint(session, training.id)
    rows = trainings.list_checkpoints(session, training.id)
    return next((row for row in rows if row.step == step), None)
