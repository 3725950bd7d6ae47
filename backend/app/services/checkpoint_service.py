"""Checkpoints of a training: listing, saving now, going back to one, deleting."""

import shutil
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import (
    TRAINING_RUNS,
    ErrorCode,
    JobState,
    ResourceType,
    SaeSource,
    TrainingStatus,
)
from app.core.errors import AppError, Conflict, IllegalTransition, NotFound
from app.core.paths import safe_join
from app.db.models import Checkpoint, Training
from app.db.repositories import features, jobs, trainings
from app.schemas.common import JobAccepted
from app.schemas.training import CheckpointRead, TrainingRead
from app.services import job_service, outbox
from app.services.checkpoint_quality import read_all
from app.services.job_summaries import accepted
from app.services.lookup import require_training
from app.services.training_runs import queue_run, run_of
from app.services.training_views import read_training
from app.services.usage import refuse_if_busy

SAVE_REQUESTS = "save_requests"


class CheckpointNotFound(NotFound):
    pass


class CheckpointGone(AppError):
    """The row is there but its files are not."""

    code = ErrorCode.CHECKPOINT_INVALID
    status = 409


class CheckpointNeeded(Conflict):
    pass


def list_checkpoints(session: Session, training_id: UUID) -> list[CheckpointRead]:
    """Newest first."""
    require_training(session, training_id)
    return read_all(trainings.list_checkpoints(session, training_id))


def save_now(session: Session, training_id: UUID) -> JobAccepted:
    """Ask a running training for a checkpoint; it is written after the present step.

    Raises:
        IllegalTransition: The training does not run.
    """
    training = require_training(session, training_id)
    run = run_of(session, training.id)
    job = jobs.get(session, run.id, lock=True) if run is not None else None
    if job is None or job.state is not JobState.RUNNING:
        raise IllegalTransition(
            f'The training "{training.name}" is {training.status}: a checkpoint can be saved only '
            "while it trains.",
            details={"training_id": str(training.id), "status": training.status},
        )
    job.payload = job.payload | {SAVE_REQUESTS: save_requests_in(job.payload) + 1}
    session.flush()
    return accepted(job)


def save_requests_in(payload: Mapping[str, Any]) -> int:
    """How many checkpoints were asked for by hand when a job had this payload."""
    return int(payload.get(SAVE_REQUESTS, 0))


def load_checkpoint(
    session: Session, settings: Settings, training_id: UUID, checkpoint_id: UUID
) -> TrainingRead:
    """Go back to a checkpoint and train on from it; what was logged and saved after it is dropped.

    Raises:
        IllegalTransition: The training runs.
        CheckpointGone: Its files are missing.
    """
    training = require_training(session, training_id, lock=True)
    checkpoint = _require_checkpoint(session, training.id, checkpoint_id)
    run = run_of(session, training.id)
    if run is not None and not (run.state.is_terminal or run.state is JobState.PAUSED):
        raise IllegalTransition(
            f'The training "{training.name}" is {training.status}. Pause or stop it first.',
            details={"training_id": str(training.id), "status": training.status},
        )
    _refuse_if_imported(training, "trained on: its optimiser is not known")
    _refuse_if_read(session, training)
    _check_files(settings, checkpoint)
    trainings.delete_metrics_after(session, training.id, checkpoint.step)
    trainings.delete_checkpoints_after(session, training.id, checkpoint.step)
    training.current_step = checkpoint.step
    training.progress = 100.0 * checkpoint.step / training.total_steps
    session.flush()
    if run is not None and run.state is JobState.PAUSED:
        job_service.resume(session, run.id)
    else:
        queue_run(session, training)
    return read_training(session, training.id)


def delete_checkpoint(
    session: Session, settings: Settings, training_id: UUID, checkpoint_id: UUID
) -> CheckpointRead:
    """Delete a checkpoint with its files.

    Raises:
        CheckpointNeeded: An unfinished training would resume from it, or features come from it.
    """
    training = require_training(session, training_id, lock=True)
    checkpoint = _require_checkpoint(session, training.id, checkpoint_id)
    _refuse_if_imported(training, "deleted alone; delete the dictionary")
    _refuse_if_read(session, training)
    _refuse_if_needed(session, training, checkpoint)
    rows = read_all(trainings.list_checkpoints(session, training.id))
    deleted = next(row for row in rows if row.id == checkpoint.id)
    session.delete(checkpoint)
    session.flush()
    folder = safe_join(settings.data_root, deleted.file_path)
    outbox.after_commit(session, partial(shutil.rmtree, folder, ignore_errors=True))
    return deleted


def _refuse_if_imported(training: Training, what: str) -> None:
    if training.source is SaeSource.IMPORTED:
        raise CheckpointNeeded(
            f'"{training.name}" was imported, so its checkpoint cannot be {what}.',
            details={"training_id": str(training.id)},
        )


def _refuse_if_read(session: Session, training: Training) -> None:
    """A discovery may be reading one of the checkpoints."""
    refuse_if_busy(
        session,
        f'The training "{training.name}"',
        ResourceType.TRAINING,
        training.id,
        besides=TRAINING_RUNS,
    )


def _refuse_if_needed(session: Session, training: Training, checkpoint: Checkpoint) -> None:
    unfinished = training.status not in {TrainingStatus.COMPLETED, TrainingStatus.STOPPED}
    latest = trainings.latest_checkpoint(session, training.id)
    if unfinished and latest is not None and latest.id == checkpoint.id:
        raise CheckpointNeeded(
            f"The training goes on from this checkpoint (step {checkpoint.step}). Stop the "
            "training first.",
            details={"checkpoint_id": str(checkpoint.id), "status": training.status},
        )
    if features.checkpoint_step(session, training.id) == checkpoint.step:
        raise CheckpointNeeded(
            f"The features of this training come from this checkpoint (step {checkpoint.step}).",
            details={"checkpoint_id": str(checkpoint.id)},
        )


def _require_checkpoint(session: Session, training_id: UUID, checkpoint_id: UUID) -> Checkpoint:
    checkpoint = trainings.get_checkpoint(session, checkpoint_id)
    if checkpoint is None or checkpoint.training_id != training_id:
        raise CheckpointNotFound(
            "This checkpoint does not exist; it may have been deleted.",
            details={"checkpoint_id": str(checkpoint_id)},
        )
    return checkpoint


def _check_files(settings: Settings, checkpoint: Checkpoint) -> None:
    folder = safe_join(settings.data_root, checkpoint.file_path)
    if not (folder / "metadata.json").is_file():
        raise CheckpointGone(
            f"The files of the checkpoint at step {checkpoint.step} are missing. Choose another.",
            details={"checkpoint_id": str(checkpoint.id)},
        )
