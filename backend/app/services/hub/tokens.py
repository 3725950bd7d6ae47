"""Handing an access token to one job without writing it where it would stay.

The token is no part of the job's row, its message, its arguments, its log or a backup: it lies in a
file that only the owner can read, named by the job. The task that supervises the job reads it and
hands it to the job's process by pipe. It stays while the job may have to start again (a killed
worker, a full disk) and goes with the change of state that ends the job; what a crash or a rolled
back request left is found by the sweeper.
"""

import os
import time
from pathlib import Path
from uuid import UUID

from app.core.config import Settings
from app.core.paths import ensure_private_dir

# The file is there before the row of its job is committed.
COMMITTED_WITHIN_SECONDS = 60.0
_NAMES = "????????-????-????-????-????????????"


def leave(settings: Settings, job_id: UUID, token: str) -> None:
    """Leave a token for a job."""
    folder = ensure_private_dir(_folder(settings))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(folder / str(job_id), flags, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(token)


def read(settings: Settings, job_id: UUID) -> str | None:
    """The token of a job; None when it was given none."""
    try:
        return (_folder(settings) / str(job_id)).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def forget(settings: Settings, job_id: UUID) -> None:
    """Remove the token of a job that will not start again."""
    (_folder(settings) / str(job_id)).unlink(missing_ok=True)


def list_held(settings: Settings) -> dict[UUID, bool]:
    """The jobs that a token lies for, and whether their row must have been committed by now."""
    limit = time.time() - COMMITTED_WITHIN_SECONDS
    try:
        found = [(UUID(path.name), path.stat().st_mtime) for path in _folder(settings).glob(_NAMES)]
    except FileNotFoundError:  # no folder, or a job has just ended: the next round sees the rest
        return {}
    return {job_id: left_at < limit for job_id, left_at in found}


def _folder(settings: Settings) -> Path:
    return settings.run_dir / "secrets"
