"""Background writer of a running task: progress, queued rows, events.

The task never waits for PostgreSQL or Redis here. Progress is coalesced (only the newest counts);
queued units of work are kept in order and repeated until they are committed.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.db.models import Job
from app.db.repositories import jobs
from app.db.session import session_scope
from app.schemas.events import Event, JobUpdated
from app.schemas.job import JobRead
from app.services import outbox, resource_status
from app.services.job_lifecycle import StaleAttempt
from app.workers.database import check_fence, is_away
from app.workers.eta import RateEstimator

logger = logging.getLogger(__name__)

EVENT_INTERVAL_SECONDS = 0.25
ROW_INTERVAL_SECONDS = 1.0
RETRY_SECONDS = 0.5

Work = Callable[[Session], None]


@dataclass(frozen=True)
class _Progress:
    percent: float
    message: str
    eta_seconds: float | None


def with_rate(message: str, rate: float | None, unit: str) -> str:
    """Append a rate, unless it is unknown or would read as 0."""
    return f"{message} · {rate:,.0f} {unit}/s" if unit and rate and rate >= 1 else message


class ProgressReporter:
    """Owns the one thread of a task process that writes progress.

    Args:
        job_id: The job.
        attempt: Fencing token; when a later attempt took over, ``on_stale`` is called once.
        on_stale: Must end the process.
    """

    def __init__(self, job_id: UUID, attempt: int, on_stale: Callable[[], None]) -> None:
        self._job_id = job_id
        self._attempt = attempt
        self._on_stale = on_stale
        self._changed = threading.Condition()
        self._work: deque[Work] = deque()
        self._progress: _Progress | None = None
        self._row: JobRead | None = None
        self._seq = 0
        self._rate = RateEstimator()
        self._closing = False
        self._failure: BaseException | None = None
        self._dirty_row = self._dirty_event = False
        self._last_row = self._last_event = 0.0
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self, job: Job) -> None:
        """Begin to write; ``job`` is the row as the task found it."""
        self._adopt(JobRead.model_validate(job))
        self._thread.start()

    def report(
        self, done: float, total: float, message: str, *, unit: str = "", rate: float | None = None
    ) -> None:
        """Remember the newest progress; see ``JobContext.report``."""
        eta = self._rate.update(done, total, rate)
        percent = min(100.0, max(0.0, 100.0 * done / total)) if total > 0 else 0.0
        shown_rate = rate if rate is not None else self._rate.per_second
        text = with_rate(message, shown_rate, unit)
        with self._changed:
            self._progress = _Progress(percent, text, eta)
            self._dirty_row = self._dirty_event = True
            self._changed.notify()

    def submit(self, work: Work) -> None:
        """Queue a unit of work."""
        with self._changed:
            self._work.append(work)
            self._changed.notify()

    def emit(self, event: Event) -> None:
        outbox.emit(event)

    def next_seq(self) -> int:
        """Numbers between two writes of the row; see ``jobs.SEQ_STRIDE``."""
        with self._changed:
            self._seq += 1
            return self._seq

    def flush(self) -> None:
        """Wait until all queued work is committed."""
        with self._changed:
            self._changed.wait_for(lambda: not self._work or not self._thread.is_alive())
        self._raise_failure()

    def close(self, *, ignore_failure: bool = False) -> None:
        """Write what is left, the newest progress included, and end the thread.

        Args:
            ignore_failure: Do not raise what the writer failed of; the task has failed already.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()
        if not ignore_failure:
            self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except StaleAttempt:
            self._on_stale()
        except BaseException as error:  # edge of the thread: handed on by flush and close
            logger.exception("progress writer failed", extra={"job_id": str(self._job_id)})
            self._failure = error
        with self._changed:
            self._changed.notify_all()

    def _step(self) -> bool:
        """Wait until something is due and write it; False when all is written after ``close``."""
        with self._changed:
            while (seconds := self._due_in()) is None or seconds > 0:
                self._changed.wait(seconds)
            closing = self._closing
        try:
            self._drain()
            self._write_progress(force=closing)
        except (DBAPIError, PoolTimeout) as error:
            if not is_away(error):
                raise
            logger.warning("database away, keeping progress", extra={"queued": len(self._work)})
            time.sleep(RETRY_SECONDS)
            return True
        return not closing or bool(self._work)

    def _due_in(self) -> float | None:
        """Seconds until something is to be written, None while there is nothing."""
        if self._work or self._closing:
            return 0.0
        due = []
        if self._dirty_row:
            due.append(self._last_row + ROW_INTERVAL_SECONDS)
        if self._dirty_event:
            due.append(self._last_event + EVENT_INTERVAL_SECONDS)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _drain(self) -> None:
        while self._work:
            work = self._work[0]
            with session_scope() as session:
                work(session)
                session.flush()
                check_fence(session, self._job_id, self._attempt)
            with self._changed:
                self._work.popleft()
                self._changed.notify_all()

    def _write_progress(self, *, force: bool) -> None:
        now = time.monotonic()
        if self._dirty_row and (force or now - self._last_row >= ROW_INTERVAL_SECONDS):
            self._write_row()
            self._last_row = self._last_event = now
        elif self._dirty_event and now - self._last_event >= EVENT_INTERVAL_SECONDS:
            self._send_event()
            self._last_event = now

    def _write_row(self) -> None:
        with self._changed:
            progress = self._progress
            self._dirty_row = self._dirty_event = False
        if progress is None:
            return
        try:
            with session_scope() as session:
                job = jobs.write_progress(session, self._job_id, self._attempt, _columns(progress))
                if job is None:
                    raise StaleAttempt("Another attempt of this job took over.")
                resource_status.copy_progress(session, job)
                row = JobRead.model_validate(job)
        except BaseException:
            self._dirty_row = True
            raise
        self._adopt(row)
        outbox.emit(JobUpdated(seq=row.seq, data=row))

    def _send_event(self) -> None:
        with self._changed:
            progress, row = self._progress, self._row
            self._dirty_event = False
        if progress is None or row is None:
            return
        seq = self.next_seq()
        data = row.model_copy(update={**_columns(progress), "seq": seq})
        outbox.emit(JobUpdated(seq=seq, data=data))

    def _adopt(self, row: JobRead) -> None:
        with self._changed:
            self._row = row
            self._seq = max(self._seq, row.seq)


def _columns(progress: _Progress) -> dict[str, Any]:
    return {
        "progress": progress.percent,
        "message": progress.message,
        "eta_seconds": progress.eta_seconds,
    }
