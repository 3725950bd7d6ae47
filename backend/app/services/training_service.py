"""Creating trainings, and asking them to pause, resume, stop or go."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.enums import (
    JobAction,
    JobKind,
    JobState,
    ResourceType,
    SaeSource,
    TrainingStatus,
)
from app.core.errors import IllegalTransition, NotReady
from app.db.models import Activation, Dataset, LanguageModel, Training
from app.ml.configs import (
    TrainingHyperparameters,
    hook_type_problems,
    input_hook_type,
    width_of,
)
from app.schemas.common import JobAccepted
from app.schemas.estimate import Estimate
from app.schemas.training import TrainingCreate, TrainingCreated, TrainingRead
from app.services import job_service
from app.services.estimates import training as estimates
from app.services.estimates.extraction import Judged, tokens_of_store
from app.services.estimates.training import PlannedDictionary
from app.services.estimates.verdict import refuse_unfit
from app.services.job_service import Link
from app.services.job_summaries import accepted
from app.services.lookup import require_ready_dataset, require_ready_model, require_training
from app.services.ml_settings import build_config, refuse
from app.services.training_runs import queue_run, run_of
from app.services.training_store import choose_layer, choose_store, require_hook_types
from app.services.training_views import read_training
from app.services.usage import refuse_if_busy


class PreparedTraining(NamedTuple):
    """A request that can be trained: its parts, checked."""

    model: LanguageModel
    dataset: Dataset
    store: Activation
    tokens: tuple[int, int]
    dictionary: PlannedDictionary

    @property
    def layer(self) -> int:
        return self.dictionary.layer

    @property
    def hook_type(self) -> str:
        return self.dictionary.hook_type

    @property
    def config(self) -> TrainingHyperparameters:
        return self.dictionary.config


def create_training(
    session: Session,
    request: TrainingCreate,
    *,
    store: Activation | None = None,
    link: Link | None = None,
    evaluate: bool = True,
) -> TrainingCreated:
    """Create a training and queue it.

    Args:
        session: Open session.
        request: What to train.
        store: The store that an earlier step of the workflow makes; else one that is ready.
        link: Its place in a workflow.
        evaluate: Whether the run ends with the held-out measurement.

    Raises:
        NotReady: Model, dataset or store is not ready, or there is no store yet.
        LayerNotFound: The model or the store lacks the layer or the hook type.
        ValidationFailed: Hyperparameters that cannot be trained on this model.
        DoesNotFit: This machine cannot hold it; the error says what would fit.
    """
    parts = prepare(session, request, store)
    judged = _judge(session, parts)
    refuse_unfit(judged.estimate)
    training = add_training(session, request, parts)
    recorded = judged.recorded
    job = queue_run(session, training, link=link, evaluate=evaluate, estimate=recorded)
    return TrainingCreated(training_id=training.id, status=training.status, job_id=job.id)


def estimate_training(session: Session, request: TrainingCreate) -> Estimate:
    """What a training would take; errors as ``create_training``, but for ``DoesNotFit``."""
    return _judge(session, prepare(session, request, None)).estimate


def _judge(session: Session, parts: PreparedTraining) -> Judged:
    return estimates.estimate_training(
        session, get_settings(), parts.model, parts.store, parts.tokens, parts.dictionary
    )


def add_training(session: Session, request: TrainingCreate, parts: PreparedTraining) -> Training:
    """Make the row of a training; its run must be queued."""
    training = Training(
        name=request.name or f"{parts.model.name} layer {parts.layer} {parts.hook_type}",
        model_id=parts.model.id,
        dataset_id=parts.dataset.id,
        activation_id=parts.store.id,
        layer=parts.layer,
        hook_type=parts.hook_type,
        encoder_type=request.encoder_type,
        hyperparameters=parts.config.to_dict(),
        status=TrainingStatus.INITIALIZING,
        total_steps=parts.config.training_steps,
    )
    session.add(training)
    session.flush()
    return training


def prepare(
    session: Session, request: TrainingCreate, store: Activation | None
) -> PreparedTraining:
    """Check a request; errors as ``create_training``, but for ``DoesNotFit``."""
    model = require_ready_model(session, request.model_id)
    dataset = require_ready_dataset(session, request.dataset_id)
    hook_type = input_hook_type(request.encoder_type, request.hook_type)
    refuse(hook_type_problems(request.encoder_type, hook_type))
    values = request.hyperparameters.model_dump()  # type: ignore[attr-defined]
    config = build_config(TrainingHyperparameters, values, prefix="hyperparameters.")
    width = width_of(model.metadata_, hook_type)
    refuse(config.width_problems(width, request.encoder_type), prefix="hyperparameters.")
    if store is None:
        store = choose_store(session, model, request)
    require_hook_types(store, request)
    layer = choose_layer(store, request.layer)
    tokens = tokens_of_store(session, dataset, model, store)
    dictionary = PlannedDictionary(config, request.encoder_type.value, layer, hook_type)
    return PreparedTraining(model, dataset, store, tokens, dictionary)


def pause_training(session: Session, training_id: UUID) -> TrainingRead:
    """Ask for a pause: a checkpoint is written and the device is freed."""
    return _request(session, training_id, JobAction.PAUSE)


def stop_training(session: Session, training_id: UUID) -> TrainingRead:
    """Ask for an early end: a checkpoint is written and measured."""
    return _request(session, training_id, JobAction.STOP)


def resume_training(session: Session, training_id: UUID) -> TrainingRead:
    """Go on from the latest checkpoint, after a pause or after a failure."""
    training = require_training(session, training_id, lock=True)
    job = run_of(session, training.id)
    if training.source is SaeSource.IMPORTED:
        raise IllegalTransition(
            f"{named(training)} was imported, so there is nothing to resume. Repeat its import if "
            "that failed.",
            details={"training_id": str(training.id), "status": training.status},
        )
    if training.status is TrainingStatus.ERROR:
        refuse_if_busy(session, named(training), ResourceType.TRAINING, training.id)
        queue_run(session, training)
    elif job is not None and job.requested is JobAction.PAUSE:
        raise NotReady(
            "The training is still saving its checkpoint. Resume it when it is paused.",
            details={"training_id": str(training.id), "status": training.status},
        )
    elif job is None or job.state.is_terminal:
        raise IllegalTransition(
            f"{named(training)} is {training.status}. Load a checkpoint to train on from it.",
            details={"training_id": str(training.id), "status": training.status},
        )
    else:
        job_service.resume(session, job.id)
    return read_training(session, training_id)


def delete_training(session: Session, training_id: UUID) -> JobAccepted:
    """Queue the deletion with checkpoints, metrics and features; a paused run is cancelled.

    Raises:
        InUse: It runs, or its features are being discovered.
    """
    training = require_training(session, training_id, lock=True)
    job = run_of(session, training.id)
    if job is not None and job.state is JobState.PAUSED and job.kind is JobKind.TRAINING_RUN:
        job_service.request(session, job.id, JobAction.CANCEL)
    refuse_if_busy(session, named(training), ResourceType.TRAINING, training.id)
    deletion = job_service.create_job(
        session, JobKind.TRAINING_DELETE, ResourceType.TRAINING, training.id, {}
    )
    return accepted(deletion)


def _request(session: Session, training_id: UUID, action: JobAction) -> TrainingRead:
    training = require_training(session, training_id)
    job = run_of(session, training.id)
    if job is None or job.state.is_terminal:
        raise IllegalTransition(
            f"{named(training)} is {training.status}: there is nothing to {action}.",
            details={"training_id": str(training.id), "status": training.status},
        )
    job_service.request(session, job.id, action)
    return read_training(session, training_id)


def named(training: Training) -> str:
    return f'The training "{training.name}"'
