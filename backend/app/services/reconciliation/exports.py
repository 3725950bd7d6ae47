"""Exports whose file is gone, and files of exports that are over."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.core.paths import export_dir
from app.db.models import Job
from app.services.feature_exchange import export_files
from app.services.reconciliation.finding import Finding, remove
from app.services.reconciliation.protection import is_protected, protected_ids


def exports_without_files(session: Session, settings: Settings) -> Iterator[Finding]:
    """Finished exports that nobody can fetch."""
    for job in export_files.with_files(session):
        result = job.result or {}
        path = settings.data_root / export_dir(job.id) / result["file_name"]
        problem = _problem(path, result["size_bytes"])
        if problem is not None:
            mend = partial(_forget_file, key=job.id, folder=path.parent)
            yield Finding(f"export {job.id}", problem, "say that its file was deleted", mend)


def files_of_past_exports(session: Session, settings: Settings) -> Iterator[Finding]:
    """Folders of exports that failed, were cancelled or whose file was to be deleted."""
    folders = sorted(settings.data_root.glob("exports/*"))
    every = {str(key) for key in session.scalars(select(Job.id).where(_IS_EXPORT))}
    kept = {str(job.id) for job in export_files.with_files(session)}
    busy = protected_ids(session)
    for path in folders:
        if path.name in every - kept and not is_protected(path, busy):
            what = path.relative_to(settings.home).as_posix()
            mend = partial(_remove, path=path)
            yield Finding(what, "belongs to an export that is over", "delete it", mend)


_IS_EXPORT = Job.kind == JobKind.FEATURE_EXPORT


def _problem(path: Path, size_bytes: int) -> str | None:
    if not path.is_file():
        return f"{path.name} is missing"
    found = path.stat().st_size
    return None if found == size_bytes else f"{path.name} holds {found} of {size_bytes} bytes"


def _forget_file(session: Session, *, key: UUID, folder: Path) -> None:
    job = session.get(Job, key)
    if job is not None:
        export_files.mark_removed(job)
        session.flush()
    remove(folder)


def _remove(_session: Session, *, path: Path) -> None:
    remove(path)
