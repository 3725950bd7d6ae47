"""Rows whose files are gone or damaged."""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import ActivationStatus, DatasetStatus, ModelStatus, TokenizationStatus
from app.core.paths import (
    activation_dir,
    dataset_documents,
    model_dir,
    safe_join,
    tokenization_dir,
)
from app.db.models import Activation, Checkpoint, Dataset, LanguageModel, Tokenization
from app.services.reconciliation.finding import Finding, quarantine

MANIFEST = "metadata.json"
GONE = "Its files are missing or damaged. Delete it and make it again."
Row = LanguageModel | Dataset | Tokenization | Activation


def rows_without_files(session: Session, settings: Settings) -> Iterator[Finding]:
    """Ready rows that cannot be used."""
    data_root = settings.data_root
    for row in session.scalars(
        select(LanguageModel).where(LanguageModel.status == ModelStatus.READY)
    ):
        folder = data_root / model_dir(row.id)
        yield from _judge(row, f'model "{row.name}"', partial(_is_there, folder / "config.json"))
    for dataset in session.scalars(select(Dataset).where(Dataset.status == DatasetStatus.READY)):
        documents = data_root / dataset_documents(dataset.id)
        yield from _judge(dataset, f'dataset "{dataset.name}"', partial(_is_there, documents))
    ready = TokenizationStatus.READY
    for tokens in session.scalars(select(Tokenization).where(Tokenization.status == ready)):
        folder = data_root / tokenization_dir(tokens.dataset_id, tokens.id)
        yield from _judge(tokens, f"tokens {tokens.id}", partial(_store_problem, folder))
    statement = select(Activation).where(Activation.status == ActivationStatus.READY)
    for store in session.scalars(statement):
        folder = data_root / activation_dir(store.id)
        yield from _judge(store, f"activation store {store.id}", partial(_store_problem, folder))


def checkpoints_without_files(
    session: Session, settings: Settings, *, deep: bool = True
) -> Iterator[Finding]:
    """Rows of checkpoints that cannot be resumed from; ``deep`` reads every byte."""
    data_root = settings.data_root
    for row in session.scalars(select(Checkpoint)):
        folder = safe_join(data_root, row.file_path)
        problem = _checkpoint_problem(folder, deep=deep)
        if problem is not None:
            yield Finding(
                f"checkpoint {row.file_path}",
                problem,
                "forget it (its metrics stay); what is left of it goes to lost+found",
                partial(_forget_checkpoint, key=row.id, data_root=data_root, folder=folder),
            )


def _judge(row: Row, what: str, find: Callable[[], str | None]) -> Iterator[Finding]:
    problem = find()
    if problem is not None:
        mend = partial(_mark_broken, table=type(row), key=row.id)
        yield Finding(what, problem, "mark it as failed, with the reason", mend)


def _is_there(path: Path) -> str | None:
    return None if path.exists() else f"{path.name} is missing"


def _store_problem(folder: Path) -> str | None:
    found = damaged_file(folder)
    return None if found is None else found[1]


def damaged_file(folder: Path) -> tuple[str, str] | None:
    """The first file of a store that is not as its manifest says, and what is wrong with it.

    Names and sizes only; checksums are left to the reader. Tokens of an early version list no
    files; of them only the manifest is looked at.
    """
    try:
        files = json.loads((folder / MANIFEST).read_text()).get("files", [])
    except (OSError, ValueError, AttributeError):
        return MANIFEST, "its manifest is missing or damaged"
    for entry in files:
        file = folder / entry["name"]
        if not file.is_file():
            return entry["name"], f"{entry['name']} is missing"
        if (size := file.stat().st_size) != entry["size_bytes"]:
            return entry["name"], f"{entry['name']} holds {size} of {entry['size_bytes']} bytes"
    return None


def _checkpoint_problem(folder: Path, *, deep: bool) -> str | None:
    """Every checksum: a checkpoint is small, and a wrong one costs a training."""
    if not folder.is_dir():
        return "its files are missing"
    try:
        checksums = json.loads((folder / MANIFEST).read_text())["sha256"]
    except (OSError, ValueError, KeyError):
        return "its manifest is missing or damaged"
    for name, digest in checksums.items():
        file = folder / name
        if not file.is_file() or (deep and _sha256(file) != digest):
            return f"{name} is missing or was altered"
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mark_broken(session: Session, *, table: type[Row], key: UUID) -> None:
    statement = update(table).where(table.id == key)
    session.execute(statement.values(status="error", error_message=GONE))


def _forget_checkpoint(session: Session, *, key: UUID, data_root: Path, folder: Path) -> None:
    row = session.get(Checkpoint, key)
    if row is not None:
        session.delete(row)
        session.flush()
    quarantine(data_root, folder)
