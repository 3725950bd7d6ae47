"""The end of a job's log file."""

import os
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.schemas.job import JobLog
from app.services import job_service

MOST_BYTES = 1 << 20


def log_path(settings: Settings, job_id: UUID) -> Path:
    return settings.logs_dir / "jobs" / f"{job_id}.log"


def read_log(session: Session, settings: Settings, job_id: UUID, lines: int) -> JobLog:
    """The last lines; a job that has written nothing yet has none.

    Raises:
        JobNotFound: No such job.
    """
    job_service.get_job(session, job_id)
    try:
        with log_path(settings, job_id).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, size - MOST_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return JobLog(lines=[], size_bytes=0, truncated=False)
    found = text.splitlines()[1 if start else 0 :]
    return JobLog(lines=found[-lines:], size_bytes=size, truncated=start > 0 or len(found) > lines)
