"""Whether rows and files agree, and mending it."""

from typing import TYPE_CHECKING

from app.cli.checks.outcome import Outcome, ok, warn
from app.core.config import Settings
from app.supervisor.control import running_stack

if TYPE_CHECKING:  # loading the tables takes time that `mistudio up` does not have
    from app.services.reconciliation import Finding

ADVICE = "`mistudio doctor --repair` mends it; nothing unknown is deleted."


def check_drift(settings: Settings) -> Outcome:
    from sqlalchemy.exc import SQLAlchemyError

    if settings.database_url is None and running_stack(settings) is None:
        return ok("files", "compared with the database when it runs")
    try:
        findings = list_drift(settings, settings.require_database_url())
    except SQLAlchemyError:
        return warn("files", "could not be compared", "See PostgreSQL and migrations above.")
    if not findings:
        return ok("files", "agree with the database")
    first = findings[0]
    return warn("files", f"{len(findings)} differences, e.g. {first.what}: {first.problem}", ADVICE)


def list_drift(settings: Settings, url: str) -> "list[Finding]":
    from sqlalchemy.orm import Session

    from app.db.session import build_engine
    from app.services.reconciliation import find_drift

    with Session(build_engine(url)) as session:
        return find_drift(session, settings)


def mend_drift(settings: Settings, url: str) -> "list[Finding]":
    """Mend everything; what was mended."""
    from sqlalchemy.orm import Session

    from app.db.session import build_engine
    from app.services.reconciliation import repair

    with Session(build_engine(url)) as session:
        return repair(session, settings)
