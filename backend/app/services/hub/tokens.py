"""Handing an access token to one job without writing it where it would stay.

The token is no part of the job's row, its message, its arguments or its log: it lies in a file
that only the owner can read, named by the job. The task that supervises the job reads it and hands
it to the job's process by pipe. It stays while the job may have to start again (a killed worker, a
full disk) and goes when the job has ended.
"""

import os
import time
from pathlib import Path
from uuid import UUID

from app.core.config import Settings
from app.core.paths import ensure_private_dir

# A token whose job was never started is of no use to anybody.
FORGOTTEN_AFTER_SECONDS = 24 * 3600


def leave(settings: Settings, job_id: UUID, token: str) -> None:
    """Leave a token for a job."""
    folder = ensure_private_dir(settings.run_dir / "secrets")
    _forget_old(folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(folder / str(job_id), flags, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(token)


def read(settings: Settings, job_id: UUID) -> str | None:
    """The token of a job; None when it was given none."""
    try:
        return (settings.run_dir / "secrets" / str(job_id)).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def forget(settings: Settings, job_id: UUID) -> None:
    """Remove the token of a job that will not start again."""
    (settings.run_dir / "secrets" / str(job_id)).unlink(missing_ok=True)


def _forget_old(folder: Path) -> None:
    limit = time.time() - FORGOTTEN_AFTER_SECONDS
    for path in folder.iterdir():
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
