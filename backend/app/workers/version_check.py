"""A worker of another version than the database's takes no job."""

import logging
from contextlib import suppress
from functools import partial
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from app.db.session import session_scope
from app.services.schema_guard import VersionMismatch, require_fitting_database
from app.workers import shutdown
from app.workers.database import retry_while_away
from app.workers.lease import say_why_it_waits

logger = logging.getLogger(__name__)


def may_run(job_id: UUID, attempt: int) -> bool:
    """Whether this worker fits the database; if not, the job stays queued and says why.

    Its message is then gone, and the sweeper sends another until a worker takes it.
    """
    try:
        retry_while_away(_check, give_up=shutdown.requested)
    except VersionMismatch as error:
        logger.error("job left queued", extra={"job_id": str(job_id), "reason": error.message})
        with suppress(DBAPIError):  # the tables may lack what this version knows of jobs
            retry_while_away(partial(_say, job_id, attempt, error.message))
        return False
    return True


def _check() -> None:
    with session_scope() as session:
        require_fitting_database(session)


def _say(job_id: UUID, attempt: int, reason: str) -> None:
    with session_scope() as session:
        text = f"Waiting for a worker of the right version. {reason}"
        say_why_it_waits(session, job_id, attempt, text)
