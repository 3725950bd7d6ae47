"""Handing a dictionary out as a SAELens folder, with the proof that it is the same one."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import ErrorCode, JobKind
from app.core.errors import AppError, NotReady
from app.core.paths import safe_join
from app.db.models import Checkpoint, LanguageModel, Training
from app.db.repositories import datasets
from app.ml.interchange.saelens_export import ExportUnsupported, SaelensExport
from app.services import job_service
from app.services.checkpoint_service import CheckpointGone, CheckpointNotFound
from app.services.job_waiting import JobFailed, JobTimedOut, wait_for_job
from app.services.sae_records import checkpoint_at
from app.services.sae_service import require_sae
from app.services.sae_views import EXPORT_PARITY

PARITY_FILE = "parity.json"
_UNSAFE = re.compile(r"[^\w.-]+")


class ExportRefused(AppError):
    """SAELens has no form for this dictionary."""

    code = ErrorCode.EXPORT_UNSUPPORTED
    status = 409


class NotProved(AppError):
    """The export could not be compared with its checkpoint, or differs from it."""

    status = 409


class ExportedSae(NamedTuple):
    file_name: str
    content: Iterator[bytes]


def export_sae(
    session: Session,
    settings: Settings,
    sae_id: UUID,
    step: int | None,
    is_abandoned: Callable[[], bool],
) -> ExportedSae:
    """Stream a checkpoint as a zip archive of a SAELens folder (version 6).

    The first export of a checkpoint waits for a job that reads the exported folder as SAELens
    defines it and compares it with the checkpoint on real activations; the report is kept, and
    goes into every archive as ``parity.json``.

    Args:
        session: Open session; committed while it waits.
        settings: Data root, and how long to wait.
        sae_id: The dictionary.
        step: Of the checkpoint, by default the latest.
        is_abandoned: Whether whoever asked has gone.

    Raises:
        SaeNotFound, CheckpointNotFound: There is no such thing.
        NotReady: An import that is not finished.
        CheckpointGone: Its files are missing.
        ExportRefused: SAELens has no form for it.
        NotProved: The exported folder differs, or could not be compared.
    """
    training = require_sae(session, sae_id)
    row = _require_checkpoint(session, training, step)
    folder = safe_join(settings.data_root, row.file_path)
    about = _about(session, training)
    _open(folder, about, {}, row)
    parity = row.metadata_.get(EXPORT_PARITY)
    if parity is None:
        parity = _prove(session, settings, training.id, row.step, is_abandoned)
    report = {
        "checkpoint_step": row.step,
        "export": parity,
        "import": (training.origin or {}).get("parity"),
        "origin": training.origin,
    }
    beside = {PARITY_FILE: json.dumps(report, indent=2).encode()}
    name = _UNSAFE.sub("-", training.name or str(training.id)).strip("-.")[:80] or "sae"
    return ExportedSae(f"{name}-step{row.step}.zip", _open(folder, about, beside, row).zipped())


def _require_checkpoint(session: Session, training: Training, step: int | None) -> Checkpoint:
    row = checkpoint_at(session, training, step)
    if row is not None:
        return row
    if step is not None:
        raise CheckpointNotFound(
            f"There is no checkpoint of step {step}; it may have been deleted.",
            details={"sae_id": str(training.id), "step": step},
        )
    raise NotReady(
        f'"{training.name}" has no weights yet: its import is {training.status}.',
        details={"sae_id": str(training.id), "status": training.status},
    )


def _open(
    folder: Path, about: dict[str, Any], beside: dict[str, bytes], row: Checkpoint
) -> SaelensExport:
    try:
        return SaelensExport(folder, about, beside)
    except ExportUnsupported as error:
        raise ExportRefused(str(error), details={"checkpoint_id": str(row.id)}) from error
    except (OSError, LookupError) as error:
        raise CheckpointGone(
            f"The files of the checkpoint at step {row.step} are missing or damaged. Choose "
            "another.",
            details={"checkpoint_id": str(row.id)},
        ) from error


def _about(session: Session, training: Training) -> dict[str, Any]:
    model = session.get_one(LanguageModel, training.model_id)
    names = datasets.names(session, [training.dataset_id] if training.dataset_id else [])
    dataset = names[training.dataset_id] if training.dataset_id is not None else None
    return {"model_name": model.repo_id or model.name, "dataset_path": dataset}


def _prove(
    session: Session,
    settings: Settings,
    training_id: UUID,
    step: int,
    is_abandoned: Callable[[], bool],
) -> dict[str, Any]:
    payload = {"training_id": str(training_id), "step": step}
    job = job_service.create_job(session, JobKind.SAE_CHECK, None, None, payload, max_attempts=2)
    session.commit()
    timeout = settings.steering_timeout.total_seconds()
    try:
        ended = wait_for_job(session, job.id, timeout, is_abandoned)
    except JobFailed as failed:
        error = NotProved(failed.message, details=failed.details)
        error.code = failed.code
        raise error from failed
    except JobTimedOut as late:
        error = NotProved(
            "Comparing the export with its checkpoint took too long. See whether the workers run "
            "(mistudio status) and ask again.",
            details=late.details,
        )
        error.code, error.status, error.retryable = ErrorCode.TIMEOUT, 504, True
        raise error from late
    parity: dict[str, Any] = (ended.result or {})["parity"]
    return parity
