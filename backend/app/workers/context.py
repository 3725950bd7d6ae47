"""What a running task is handed: its job, short transactions, progress, events, stop requests."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobAction, JobKind, ResourceType
from app.schemas.events import Event
from app.workers.database import fenced_session, fenced_transaction
from app.workers.giving_way import GivingWay
from app.workers.progress import ProgressReporter

T = TypeVar("T")
OutcomeState = Literal["succeeded", "paused", "stopped", "cancelled"]

# How the line with the token begins on the pipe of requests.
TOKEN_WORD = "token"
# It is written before the process exists, so this only ends what would wait for ever.
TOKEN_PATIENCE_SECONDS = 30.0
# A stronger request replaces a weaker one that was not followed yet.
REQUEST_STRENGTH = {JobAction.PAUSE: 1, JobAction.STOP: 2, JobAction.CANCEL: 3}
_STATE_OF_ACTION: dict[JobAction, OutcomeState] = {
    JobAction.PAUSE: "paused",
    JobAction.STOP: "stopped",
    JobAction.CANCEL: "cancelled",
}


class JobInterrupted(Exception):
    """The task was asked to end early; raised by ``raise_if_stopped``."""

    def __init__(self, action: JobAction) -> None:
        super().__init__(action.value)
        self.action = action

    def outcome(self) -> "JobOutcome":
        return JobOutcome(_STATE_OF_ACTION[self.action])


@dataclass(frozen=True)
class JobOutcome:
    """How a task ended.

    Attributes:
        state: What the job becomes.
        result: JSON stored in the job.
    """

    state: OutcomeState = "succeeded"
    result: dict[str, Any] | None = None


class StopSignal:
    """The strongest request that has reached this process so far."""

    def __init__(self) -> None:
        self._action: JobAction | None = None
        self._event = threading.Event()
        self.by_shutdown = False

    @property
    def action(self) -> JobAction | None:
        return self._action

    def set(self, action: JobAction, *, by_shutdown: bool = False) -> None:
        """Record a request; a weaker one than the present is ignored."""
        if self._action is None or REQUEST_STRENGTH[action] > REQUEST_STRENGTH[self._action]:
            self._action = action
            self.by_shutdown = by_shutdown
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Sleep for at most ``seconds``; True as soon as something was requested."""
        return self._event.wait(seconds)


class HandedToken:
    """The access token that the supervising task hands this process through its pipe."""

    def __init__(self) -> None:
        self._token: str | None = None
        self._arrived = threading.Event()

    def put(self, token: str | None) -> None:
        self._token = token
        self._arrived.set()

    def take(self) -> str | None:
        """The token, None when the job was given none.

        Raises:
            TimeoutError: The pipe said nothing about it.
        """
        if not self._arrived.wait(TOKEN_PATIENCE_SECONDS):
            raise TimeoutError("no access token was handed over")
        return self._token


@dataclass
class JobContext:
    """A task's only way to the outside.

    Every write is fenced: once a later attempt owns the job, writes raise ``StaleAttempt`` and
    the process ends.
    """

    job_id: UUID
    attempt: int
    kind: JobKind
    resource_type: ResourceType | None
    resource_id: UUID | None
    payload: dict[str, Any]
    settings: Settings
    log_path: Path
    reporter: ProgressReporter
    signal: StopSignal = field(default_factory=StopSignal)
    token: HandedToken = field(default_factory=HandedToken)
    giving_way: GivingWay | None = None

    @property
    def data_root(self) -> Path:
        return self.settings.data_root

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One short transaction; entering waits while the database is away.

        A connection lost inside the block raises, because the block cannot be run again from
        here. Use ``transaction`` where a whole unit can be repeated.
        """
        with fenced_session(self.job_id, self.attempt) as session:
            yield session

    def transaction(self, work: Callable[[Session], T]) -> T:
        """Run a unit of work in one transaction, again from its start while the database is away.

        Args:
            work: May run several times; must have no effect outside the database.
        """
        return fenced_transaction(self.job_id, self.attempt, work)

    def write_later(self, work: Callable[[Session], None]) -> None:
        """Queue a unit of work for the background writer and go on at once.

        Units run in order, each in a transaction that is repeated while the database is away, so
        a training goes on meanwhile. ``flush`` waits for them; the end of the task does too.
        """
        self.reporter.submit(work)

    def flush(self) -> None:
        """Wait until everything that was queued by ``write_later`` is in the database."""
        self.reporter.flush()

    def report(
        self,
        done: float,
        total: float,
        message: str,
        *,
        unit: str = "",
        rate: float | None = None,
    ) -> None:
        """Say how far the task is. Cheap: call it as often as you like.

        Args:
            done: How much is done, in ``unit``.
            total: How much there is; 0 or less when unknown.
            message: What is being done, for the person at the page.
            unit: ``tokens``, ``steps``, …
            rate: Units per second if the task measures it better than a moving window does.
        """
        self.reporter.report(done, total, message, unit=unit, rate=rate)

    def publish(self, event: Event) -> None:
        """Emit an event to its rooms; dropped when Redis is away. Take ``seq`` of ``next_seq``."""
        self.reporter.emit(event)

    def next_seq(self) -> int:
        """A number greater than that of every event of this job so far."""
        return self.reporter.next_seq()

    def stop_requested(self) -> JobAction | None:
        """What was asked of the task, if anything; costs nothing.

        A task asks between its steps, so here it lets whoever waits at the page go first.
        """
        if self.giving_way is not None and self.signal.action is None:
            self.giving_way.pause()
        return self.signal.action

    def raise_if_stopped(self) -> None:
        """
        Raises:
            JobInterrupted: Somebody asked the task to end.
        """
        if self.signal.action is not None:
            raise JobInterrupted(self.signal.action)

    def sleep(self, seconds: float) -> None:
        """Wait, but return as soon as something was requested (retry delays, rate limits)."""
        self.signal.wait(seconds)

    @staticmethod
    def monotonic() -> float:
        return time.monotonic()
