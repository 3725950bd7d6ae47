"""A runner's hold on one attempt: reserve, claim, heartbeat. Times are the database's."""

import logging
import time
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobAction, JobState
from app.db.models import Job
from app.db.repositories import jobs
from app.db.session import session_scope
from app.services import job_events, outbox
from app.services.job_lifecycle import StaleAttempt, transition
from app.workers.outcome import Failure

logger = logging.getLogger(__name__)

AWAY_LOG_INTERVAL_SECONDS = 10.0
HELD_STATES = frozenset({JobState.QUEUED, JobState.STARTING, JobState.RUNNING})


def say_why_it_waits(session: Session, job_id: UUID, attempt: int, message: str) -> None:
    """Show a queued job's reason to wait at the page; the same one again is no event."""
    job = jobs.get(session, job_id)
    if job is None or job.message == message:
        return
    written = jobs.write_progress(session, job_id, attempt, {"message": message})
    if written is not None:
        outbox.publish(session, job_events.job_updated(written))


class Lease:
    """Held by one supervising task.

    Args:
        settings: Lease and heartbeat times.
        job_id: The job.
        attempt: Fencing token of the attempt.
        owner: Identity of this process.
    """

    def __init__(self, settings: Settings, job_id: UUID, attempt: int, owner: str) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self.owner = owner
        self._duration = settings.lease_duration
        self._interval = settings.heartbeat_interval.total_seconds()
        self._last_beat = 0.0
        self._last_away_log = 0.0

    def reserve(self) -> Job | None:
        """Take the queued job for this process; None for a duplicate or outdated message."""
        with session_scope() as session:
            if not jobs.reserve(session, self.job_id, self.attempt, self.owner, self._duration):
                return None
            self._last_beat = time.monotonic()
            return jobs.get(session, self.job_id)

    def claim(self) -> bool:
        """Compare-and-set from queued to starting; False when the job was taken or ended."""
        with session_scope() as session:
            job = jobs.get(session, self.job_id, lock=True)
            if job is None or job.attempt != self.attempt or job.lease_owner != self.owner:
                return False
            if job.state is JobState.STARTING:  # committed, but the answer was lost
                return True
            if job.state is not JobState.QUEUED:
                return False
            job.message = None
            transition(session, job, JobState.STARTING, attempt=self.attempt)
            return True

    def check(self) -> JobAction | None:
        """Heartbeat when due; what users asked of the job, if anything.

        Raises:
            StaleAttempt: The job belongs to a later attempt, or has ended.
        """
        with session_scope() as session:
            found = jobs.read_request(session, self.job_id, self.attempt)
            alive = found is not None and found[0] in HELD_STATES
            if alive and time.monotonic() - self._last_beat >= self._interval:
                alive = jobs.extend_lease(
                    session, self.job_id, self.attempt, self.owner, self._duration
                )
                self._last_beat = time.monotonic()
        if found is None or not alive:
            raise StaleAttempt("The job no longer belongs to this attempt.")
        return found[1]

    def refuse(self, failure: Failure) -> None:
        """End a queued job that cannot run on this machine, with the reason."""
        with session_scope() as session:
            job = jobs.get(session, self.job_id, lock=True)
            if job is not None and job.state is JobState.QUEUED and job.attempt == self.attempt:
                transition(session, job, JobState.FAILED, error=failure.as_error())

    def give_back(self) -> None:
        """Leave a queued job to another process, at once."""
        with session_scope() as session:
            jobs.release(session, self.job_id, self.attempt, self.owner)

    def note_away(self, error: Exception) -> None:
        """Log that the database is away, not more often than every ten seconds."""
        now = time.monotonic()
        if now - self._last_away_log >= AWAY_LOG_INTERVAL_SECONDS:
            self._last_away_log = now
            logger.warning(
                "database away, the job goes on",
                extra={"job_id": str(self.job_id), "reason": type(error).__name__},
            )
