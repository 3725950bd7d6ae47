"""The least memory that a job takes on its device, known before it starts.

A lower bound, so that no job is refused that would have run: weights that must be there, without
the activations between them.
"""

from sqlalchemy.orm import Session

from app.core.enums import JobKind
from app.db.models import Activation, Job, LanguageModel, Training
from app.db.repositories import trainings
from app.ml.configs import TrainingHyperparameters, width_of

FLOAT_BYTES = 4
# Weights, gradients and the two moments of Adam.
COPIES_IN_TRAINING = 4


def bytes_needed(session: Session, job: Job) -> int:
    """Bytes that the job needs at once; 0 where nothing can be said."""
    if job.kind is JobKind.ACTIVATION_EXTRACT:
        store = session.get(Activation, job.resource_id)
        return _model_bytes(session, store) if store is not None else 0
    if job.kind is JobKind.TRAINING_GRID:
        sharing = trainings.list_sharing(session, job.id)
        return sum(COPIES_IN_TRAINING * _dictionary_bytes(session, row) for row in sharing)
    training = session.get(Training, job.resource_id)
    if training is None:
        return 0
    if job.kind is JobKind.TRAINING_RUN:
        return COPIES_IN_TRAINING * _dictionary_bytes(session, training)
    return _model_bytes(session, training) + _dictionary_bytes(session, training)


def _model_bytes(session: Session, row: Activation | Training) -> int:
    model = session.get(LanguageModel, row.model_id)
    return int(model.memory_req_bytes or 0) if model is not None else 0


def _dictionary_bytes(session: Session, training: Training) -> int:
    """Encoder, decoder and biases: ``2·D·F + D + F`` numbers."""
    model = session.get(LanguageModel, training.model_id)
    if model is None or not model.metadata_:
        return 0
    width = width_of(model.metadata_, training.hook_type)
    latents = TrainingHyperparameters.from_dict(training.hyperparameters).latents(width)
    return FLOAT_BYTES * (2 * width * latents + width + latents)
