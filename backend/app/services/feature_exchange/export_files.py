"""The files of finished exports: listed, fetched, and deleted when their time is over."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState
from app.core.errors import NotFound, NotReady
from app.core.paths import export_dir
from app.db.models import Job
from app.db.repositories import jobs
from app.schemas.feature_exchange import FeatureExportRead
from app.services import outbox
from app.services.lookup import require_training

MOST_LISTED = 50
REMOVED = "removed_at"


class ExportNotFound(NotFound):
    """No export has this id, or its file was deleted."""


def result_of(
    name: str, size_bytes: int, sha256: str, n_features: int, retention: timedelta
) -> dict[str, Any]:
    """What a finished job says of its file."""
    return {
        "file_name": name, "size_bytes": size_bytes, "sha256": sha256, "n_features": n_features,
        "expires_at": (datetime.now(UTC) + retention).isoformat(),
    }  # fmt: skip


def list_exports(session: Session, training_id: UUID) -> list[FeatureExportRead]:
    """Finished exports of a training, newest first; those whose file was deleted too."""
    require_training(session, training_id)
    kinds, states = [JobKind.FEATURE_EXPORT], [JobState.SUCCEEDED]
    page = jobs.list_page(
        session, limit=MOST_LISTED, kinds=kinds, states=states, resource_id=training_id
    )
    return [_read(job) for job in page.items]


def find_file(session: Session, settings: Settings, job_id: UUID) -> Path:
    """The file of an export.

    Raises:
        ExportNotFound: No such export, or its file is gone.
        NotReady: It is still being written, or came to nothing.
    """
    job = jobs.get(session, job_id)
    details = {"job_id": str(job_id)}
    if job is None or job.kind is not JobKind.FEATURE_EXPORT:
        raise ExportNotFound("There is no export with this id.", details=details)
    if job.state is not JobState.SUCCEEDED:
        advice = "failed: repeat it" if job.state.is_terminal else "is not finished: wait for it"
        raise NotReady(f"The export {advice}.", details={**details, "state": job.state})
    result = job.result or {}
    path: Path = settings.data_root / export_dir(job_id) / result["file_name"]
    if REMOVED in result or not path.is_file():
        raise ExportNotFound(
            "The file of this export was deleted. Export the features again.", details=details
        )
    return path


def remove_expired(session: Session, settings: Settings) -> int:
    """Delete the files whose time is over; returns their number."""
    expired = [job for job in with_files(session) if expiry_of(job) <= datetime.now(UTC)]
    for job in expired:
        mark_removed(job)
        folder = settings.data_root / export_dir(job.id)
        outbox.after_commit(session, partial(shutil.rmtree, folder, ignore_errors=True))
    return len(expired)


def with_files(session: Session) -> Sequence[Job]:
    """Finished exports whose files were not deleted."""
    return jobs.list_succeeded_without(session, JobKind.FEATURE_EXPORT, REMOVED)


def expiry_of(job: Job) -> datetime:
    return datetime.fromisoformat((job.result or {})["expires_at"])


def mark_removed(job: Job) -> None:
    job.result = {**(job.result or {}), REMOVED: datetime.now(UTC).isoformat()}


def _read(job: Job) -> FeatureExportRead:
    result = job.result or {}
    return FeatureExportRead(
        job_id=job.id, state=job.state, training_id=job.resource_id, created_at=job.created_at,
        format=job.payload["format"], is_available=REMOVED not in result,
        **{name: result[name] for name in
           ("n_features", "file_name", "size_bytes", "sha256", "expires_at")},
    )  # fmt: skip
