"""Fetching what a request names: 404 when it is not there, 409 when it cannot serve yet."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import (
    ActivationStatus,
    DatasetStatus,
    JobKind,
    ModelStatus,
    ResourceType,
)
from app.core.errors import NotFound, NotReady
from app.db.models import Activation, Dataset, Feature, LanguageModel, Training
from app.db.repositories import activations, datasets, features, jobs, models, trainings

DELETIONS = frozenset(
    {
        JobKind.DATASET_DELETE,
        JobKind.MODEL_DELETE,
        JobKind.ACTIVATION_DELETE,
        JobKind.TRAINING_DELETE,
    }
)


class DatasetNotFound(NotFound):
    pass


class ModelNotFound(NotFound):
    pass


class ActivationNotFound(NotFound):
    pass


class TrainingNotFound(NotFound):
    pass


class FeatureNotFound(NotFound):
    pass


def require_dataset(session: Session, dataset_id: UUID, *, lock: bool = False) -> Dataset:
    dataset = datasets.get(session, dataset_id, lock=lock)
    if dataset is None:
        raise DatasetNotFound(_gone("dataset"), details={"dataset_id": str(dataset_id)})
    return dataset


def require_ready_dataset(session: Session, dataset_id: UUID) -> Dataset:
    dataset = require_dataset(session, dataset_id)
    _refuse_leaving(session, f'The dataset "{dataset.name}"', ResourceType.DATASET, dataset.id)
    if dataset.status is not DatasetStatus.READY:
        what = f'The dataset "{dataset.name}"'
        _refuse_unready(what, dataset.status, dataset.status is DatasetStatus.ERROR, dataset.id)
    return dataset


def require_model(session: Session, model_id: UUID, *, lock: bool = False) -> LanguageModel:
    model = models.get(session, model_id, lock=lock)
    if model is None:
        raise ModelNotFound(_gone("model"), details={"model_id": str(model_id)})
    return model


def require_ready_model(session: Session, model_id: UUID) -> LanguageModel:
    model = require_model(session, model_id)
    _refuse_leaving(session, f'The model "{model.name}"', ResourceType.MODEL, model.id)
    if model.status is not ModelStatus.READY:
        what = f'The model "{model.name}"'
        _refuse_unready(what, model.status, model.status is ModelStatus.ERROR, model.id)
    return model


def require_activation(session: Session, activation_id: UUID, *, lock: bool = False) -> Activation:
    store = activations.get(session, activation_id, lock=lock)
    if store is None:
        details = {"activation_id": str(activation_id)}
        raise ActivationNotFound(_gone("activation store"), details=details)
    return store


def require_ready_activation(session: Session, activation_id: UUID) -> Activation:
    store = require_activation(session, activation_id)
    _refuse_leaving(session, "The activation store", ResourceType.ACTIVATION, store.id)
    if store.status is not ActivationStatus.READY:
        failed = store.status is ActivationStatus.ERROR
        _refuse_unready("The activation store", store.status, failed, store.id)
    return store


def require_training(session: Session, training_id: UUID, *, lock: bool = False) -> Training:
    training = trainings.get(session, training_id, lock=lock)
    if training is None:
        raise TrainingNotFound(_gone("training"), details={"training_id": str(training_id)})
    return training


def require_feature(session: Session, feature_id: int, *, lock: bool = False) -> Feature:
    feature = features.get(session, feature_id, lock=lock)
    if feature is None:
        raise feature_not_found(feature_id)
    return feature


def feature_not_found(feature_id: int) -> FeatureNotFound:
    return FeatureNotFound(_gone("feature"), details={"feature_id": feature_id})


def describe_store(store: Activation) -> str:
    """An activation store in words: its name, else its hook points."""
    layers = ", ".join(str(layer) for layer in store.layers)
    return store.name or f"layer {layers}, {', '.join(store.hook_types)}"


def _refuse_leaving(
    session: Session, what: str, resource_type: ResourceType, resource_id: UUID
) -> None:
    unfinished = jobs.unfinished_for(session, resource_type, resource_id)
    if any(job.kind in DELETIONS for job in unfinished):
        raise NotReady(f"{what} is being deleted.", details={"resource_id": str(resource_id)})


def _gone(what: str) -> str:
    return f"This {what} does not exist; it may have been deleted."


def _refuse_unready(what: str, status: str, failed: bool, resource_id: UUID) -> None:
    advice = "failed: delete it and try again" if failed else f"is still {status}: wait for it"
    raise NotReady(f"{what} {advice}.", details={"resource_id": str(resource_id), "status": status})
