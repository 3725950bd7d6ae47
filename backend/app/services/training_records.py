"""What a run reads and writes about its training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import SaeSource
from app.core.errors import NotReady
from app.core.paths import activation_dir, checkpoint_dir, model_dir, tokenization_dir
from app.db.models import Activation, Training
from app.db.repositories import activations, jobs, trainings
from app.ml.configs import TrainingHyperparameters, target_hook_type
from app.services.checkpoint_service import save_requests_in
from app.services.lookup import require_training

CHECKPOINT_FIGURES = ("l0", "explained_variance", "reason", "quality", "quality_split")


class StoreGone(NotReady):
    """The activations that something needs were deleted."""


@dataclass(frozen=True)
class SourceFiles:
    """Folders that a training or a discovery reads, relative to the data root."""

    store: PurePosixPath
    tokens: PurePosixPath
    model: PurePosixPath


@dataclass(frozen=True)
class RunPlan:
    """All that a run needs to know.

    Attributes:
        checkpoints: Steps that can be resumed from, newest first.
    """

    training_id: UUID
    files: SourceFiles
    layer: int
    hook_type: str
    encoder_type: str
    config: TrainingHyperparameters
    checkpoints: list[int]


def read_plan(session: Session, training_id: UUID) -> RunPlan:
    """
    Raises:
        TrainingNotFound: The row was deleted.
        StoreGone: So were its activations.
    """
    training = require_training(session, training_id)
    return RunPlan(
        training_id=training.id,
        files=source_files(session, training),
        layer=training.layer,
        hook_type=training.hook_type,
        encoder_type=training.encoder_type,
        config=TrainingHyperparameters.from_dict(training.hyperparameters),
        checkpoints=[row.step for row in trainings.list_checkpoints(session, training.id)],
    )


def source_files(session: Session, training: Training) -> SourceFiles:
    """Where a training's activations, tokens and model lie.

    A store that was deleted is replaced by another of the same model and dataset that holds the
    layer, if there is one.

    Raises:
        StoreGone: There is none.
    """
    store = _store_of(session, training)
    if store is None or store.tokenization_id is None:
        raise StoreGone(_what_to_extract(training), details={"training_id": str(training.id)})
    return SourceFiles(
        store=activation_dir(store.id),
        tokens=tokenization_dir(store.dataset_id, store.tokenization_id),
        model=model_dir(training.model_id),
    )


def _what_to_extract(training: Training) -> str:
    if training.source is not SaeSource.IMPORTED:
        return (
            "The activations of this training were deleted. Extract them again: the same model, "
            f"dataset, layer {training.layer} and hook type {training.hook_type}."
        )
    places = {training.hook_type, target_hook_type(training.encoder_type, training.hook_type)}
    return (
        "An imported dictionary is measured on activations of your own. Extract some of its model "
        f"from any text: layer {training.layer}, {' and '.join(sorted(places))}."
    )


def _store_of(session: Session, training: Training) -> Activation | None:
    if training.activation_id is not None:
        return activations.get(session, training.activation_id)
    imported = training.source is SaeSource.IMPORTED  # it was trained on other text anyway
    dataset_id = None if imported else training.dataset_id
    found = activations.list_ready(session, training.model_id, dataset_id)
    wanted = {training.hook_type, target_hook_type(training.encoder_type, training.hook_type)}
    return next(
        (
            store
            for store in found
            if training.layer in store.layers and wanted <= set(store.hook_types)
        ),
        None,
    )


def start_from(session: Session, training_id: UUID, step: int, dropped: Sequence[int] = ()) -> None:
    """Forget what lies after the step that a run starts at, and the checkpoints without files."""
    trainings.delete_metrics_after(session, training_id, step)
    trainings.delete_checkpoints_after(session, training_id, step)
    trainings.delete_checkpoints(session, training_id, dropped)
    trainings.set_current_step(session, training_id, step)


def record_metrics(
    session: Session, training_id: UUID, job_id: UUID, rows: Sequence[dict[str, Any]]
) -> int:
    """Write metric rows.

    Returns:
        How many checkpoints were asked for by hand so far.
    """
    if rows:
        trainings.add_metrics(session, rows)
        trainings.set_current_step(session, training_id, rows[-1]["step"])
    job = jobs.get(session, job_id)
    return save_requests_in(job.payload) if job is not None else 0


def record_checkpoint(
    session: Session, training_id: UUID, info: dict[str, Any], removed_steps: Sequence[int]
) -> None:
    """Keep a checkpoint that lies on disk, and forget those that it replaced.

    Args:
        session: Open session.
        training_id: The training.
        info: The core's description of the checkpoint as JSON.
        removed_steps: Older checkpoints whose folders are gone.
    """
    trainings.put_checkpoint(
        session,
        training_id,
        info["step"],
        file_path=str(checkpoint_dir(training_id, info["step"])),
        loss=info["loss"],
        file_size_bytes=info["size_bytes"],
        metadata={key: info[key] for key in CHECKPOINT_FIGURES},
    )
    if removed_steps:
        trainings.delete_checkpoints(session, training_id, removed_steps)


def step_of(folder: Path) -> int:
    """The step in the name of a checkpoint's folder."""
    return int(folder.name.removeprefix("step_"))


def record_evaluation(session: Session, training_id: UUID, evaluation: dict[str, Any]) -> None:
    training = require_training(session, training_id, lock=True)
    training.evaluation = evaluation
    session.flush()
