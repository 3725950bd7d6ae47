"""Transactions of a running attempt: fenced, and repeated while PostgreSQL is away."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.db.models import Job
from app.db.session import session_scope
from app.services.job_lifecycle import StaleAttempt

logger = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 2.0
AWAY = (OperationalError, InterfaceError, PoolTimeout)


def is_away(error: BaseException) -> bool:
    """Whether an error means that the database cannot be reached (and not that a query is bad)."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, AWAY)


def retry_while_away(work: Callable[[], T], *, give_up: Callable[[], bool] = lambda: False) -> T:
    """Call ``work`` until the database answers.

    Args:
        work: Opens its own transaction; may run several times.
        give_up: Asked before each wait; when true the error is raised.
    """
    delay = FIRST_DELAY_SECONDS
    started = time.monotonic()
    while True:
        try:
            return work()
        except (DBAPIError, PoolTimeout) as error:
            if not is_away(error) or give_up():
                raise
            away_seconds = round(time.monotonic() - started, 1)
            logger.warning("database away, retrying", extra={"away_seconds": away_seconds})
        time.sleep(delay)
        delay = min(2 * delay, LONGEST_DELAY_SECONDS)


def check_fence(session: Session, job_id: UUID, attempt: int) -> None:
    """Hold the job's row for the rest of the transaction and see that the attempt still owns it.

    Raises:
        StaleAttempt: A later attempt took over, or the job is gone.
    """
    current = session.scalar(
        select(Job.attempt).where(Job.id == job_id).with_for_update(read=True, key_share=True)
    )
    if current != attempt:
        raise StaleAttempt(
            "Another attempt of this job took over.",
            details={"job_id": str(job_id), "attempt": attempt, "current": current},
        )


@contextmanager
def fenced_session(job_id: UUID, attempt: int) -> Iterator[Session]:
    """A transaction that commits only if the attempt still owns the job.

    The fence is checked last, so that the row is held for the commit only and heartbeats and
    requests do not wait behind a long load.
    """
    retry_while_away(_ping)
    with session_scope() as session:
        yield session
        session.flush()
        check_fence(session, job_id, attempt)


def fenced_transaction(job_id: UUID, attempt: int, work: Callable[[Session], T]) -> T:
    """Run ``work`` in a fenced transaction, repeated from its start while the database is away."""

    def run() -> T:
        with session_scope() as session:
            result = work(session)
            session.flush()
            check_fence(session, job_id, attempt)
            return result

    return retry_while_away(run)


def _ping() -> None:
    with session_scope() as session:
        session.execute(select(1))
