"""Nobody works on a database of another version: the API answers 503, workers leave jobs queued.

A program may outlive its database's version: the files were replaced while it ran, a container of
another release came up beside it, an older backup was restored under it.
"""

import time

from sqlalchemy.orm import Session

from app.core.enums import ErrorCode
from app.core.errors import ServiceUnavailable
from app.core.release import RELEASE, REVISION, SchemaRecord
from app.db.repositories import schema

RESTART = "Restart everything with the same version: `make down`, then `make up`."

_fitted_at = float("-inf")


class VersionMismatch(ServiceUnavailable):
    code = ErrorCode.VERSION_MISMATCH


def fitted_within(seconds: float) -> bool:
    """Whether the database was seen to be of this version that lately."""
    return time.monotonic() - _fitted_at < seconds


def require_fitting_database(session: Session, *, within_seconds: float = 0.0) -> None:
    """See that the database is of this program's version.

    Args:
        session: Open session.
        within_seconds: A good answer that is no older than this counts, so that a request need not
            ask again.

    Raises:
        VersionMismatch: It is of another one.
    """
    global _fitted_at
    if fitted_within(within_seconds):
        return
    record = schema.read_record(session)
    problem = _problem(record)
    if problem is not None:
        details = {"revision": REVISION, "database_revision": record.revision}
        releases = {"release": RELEASE, "database_release": record.release}
        raise VersionMismatch(f"{problem} {RESTART}", details=details | releases)
    _fitted_at = time.monotonic()


def _problem(record: SchemaRecord) -> str | None:
    if record.revision != REVISION and REVISION is not None:
        stands = "holds no tables yet" if record.revision is None else f"is at {record.revision}"
        return f"This program is written for revision {REVISION} of the database, which {stands}."
    if record.release not in {None, RELEASE}:
        return f"This is release {RELEASE}, and the database was made ready for {record.release}."
    return None
