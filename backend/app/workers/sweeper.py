"""A small process that repairs: ``python -m app.workers.sweeper``.

Every two seconds it looks for jobs whose process is gone and for messages that the broker lost.
Its own absence harms nothing; it only delays recovery.
"""

import logging
import signal
import sys
import threading
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from app.core.config import Settings, get_settings
from app.core.errors import ServiceUnavailable
from app.core.logging import configure_logging
from app.db.session import session_scope
from app.services.feature_exchange import export_files
from app.services.reconciliation import list_drift_at_start
from app.services.schema_guard import VersionMismatch, require_fitting_database
from app.workers import recovery

logger = logging.getLogger(__name__)


def sweep(settings: Settings) -> None:
    """One round; a server that is away is tried again in the next."""
    try:
        recovery.recover_lost_jobs(settings)
        recovery.resume_when_relieved(settings)
        recovery.republish_lost_messages(settings)
        recovery.forget_tokens_of_ended_jobs(settings)
        with session_scope() as session:
            export_files.remove_expired(session, settings)
    except SQLAlchemyError as error:
        logger.warning("sweep without database", extra={"reason": type(error).__name__})
    except (*recovery.AWAY_BROKER, ServiceUnavailable) as error:
        logger.warning("sweep without broker", extra={"reason": str(error)})


def why_not_to_sweep() -> str | None:
    """What keeps this program off the rows; a database that is away is left to the round."""
    try:
        with session_scope() as session:
            require_fitting_database(session)
    except SQLAlchemyError:
        return None
    except VersionMismatch as error:
        return error.message
    return None


def list_drift(settings: Settings) -> bool:
    """Hold rows against files once; False when the database was away."""
    try:
        with session_scope() as session:
            list_drift_at_start(session, settings)
    except SQLAlchemyError as error:
        logger.warning("files not compared", extra={"reason": type(error).__name__})
        return False
    except OSError as error:  # an unreadable folder must not end the sweeper
        logger.warning("files not compared", extra={"reason": str(error)})
    return True


def run(settings: Settings, stop: threading.Event) -> None:
    """Sweep until told to stop; begins with what the last shutdown paused."""
    is_resumed = is_compared = False
    told: str | None = None
    while not stop.is_set():
        reason = why_not_to_sweep()
        if reason != told and reason is not None:
            logger.error("nothing is swept", extra={"reason": reason})
        told = reason
        if reason is not None:
            stop.wait(settings.sweep_interval.total_seconds())
            continue
        try:
            if not is_resumed:
                recovery.resume_after_shutdown()
                is_resumed = True
        except SQLAlchemyError as error:
            logger.warning("start without database", extra={"reason": type(error).__name__})
        sweep(settings)
        is_compared = is_compared or list_drift(settings)
        stop.wait(settings.sweep_interval.total_seconds())


def main() -> int:
    settings = get_settings()
    configure_logging(settings, process="sweeper")
    stop = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    run(settings, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
