"""Deleting a thing: its rows, its files into the trash in the same breath, then the trash.

A deletion that dies in between is run again: what is gone already is passed over.
"""

import os
import shutil
from pathlib import Path, PurePosixPath
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.core.paths import (
    activation_dir,
    dataset_dir,
    ensure_private_dir,
    fsync_dir,
    model_dir,
    safe_join,
    tokenization_dir,
    training_dir,
)
from app.db.models import Activation, Dataset, LanguageModel, Tokenization, Training
from app.db.repositories import feature_loading, models
from app.db.repositories.base import allow_long_statements, make_way

TRASH = "cache/trash"


def dataset_files(dataset_id: UUID) -> list[PurePosixPath]:
    return [dataset_dir(dataset_id)]


def model_files(session: Session, model_id: UUID) -> list[PurePosixPath]:
    """The model's folder and those of all its tokenisations."""
    tokenizations = models.list_tokenizations(session, model_id)
    return [
        model_dir(model_id),
        *(tokenization_dir(row.dataset_id, row.id) for row in tokenizations),
    ]


def activation_files(activation_id: UUID) -> list[PurePosixPath]:
    return [activation_dir(activation_id)]


def training_files(training_id: UUID) -> list[PurePosixPath]:
    return [training_dir(training_id)]


def move_to_trash(data_root: Path, job_id: UUID, paths: list[PurePosixPath]) -> Path:
    """Move folders out of sight in one step each.

    Returns:
        The trash of this job, to be emptied after the rows are gone.
    """
    trash = ensure_private_dir(data_root / TRASH / str(job_id))
    for path in paths:
        source = safe_join(data_root, path)
        if source.exists():
            os.replace(source, trash / f"{path.parts[0]}-{path.name}")  # noqa: PTH105
            fsync_dir(source.parent)
    return trash


def empty_trash(trash: Path) -> None:
    shutil.rmtree(trash, ignore_errors=True)


def delete_dataset_row(session: Session, dataset_id: UUID) -> None:
    """The dataset; its tokenisations go with it."""
    session.execute(delete(Dataset).where(Dataset.id == dataset_id))


def delete_model_row(session: Session, model_id: UUID) -> None:
    session.execute(delete(Tokenization).where(Tokenization.model_id == model_id))
    session.execute(delete(LanguageModel).where(LanguageModel.id == model_id))


def delete_activation_row(session: Session, activation_id: UUID) -> None:
    session.execute(delete(Activation).where(Activation.id == activation_id))


def delete_training_row(session: Session, training_id: UUID) -> None:
    """The training with its features and examples, metrics and checkpoints."""
    allow_long_statements(session)
    make_way(session)
    feature_loading.delete_examples(session, training_id)
    feature_loading.delete_features(session, training_id)
    session.execute(delete(Training).where(Training.id == training_id))
