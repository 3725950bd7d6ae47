"""What leaves a transaction: job messages and events go out after the commit, or never.

A worker can therefore never receive a job that does not exist. When the broker is away the job
stays queued in the database and the sweeper sends its message later.
"""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from uuid import UUID

from sqlalchemy import event, func
from sqlalchemy.orm import Session, SessionTransaction

from app.core.enums import JobKind
from app.db.models import Job
from app.schemas.events import Event
from app.services import counters
from app.services.counters import Count
from app.websocket import publisher
from app.workers import sender
from app.workers.queues import KEY_PREFIX, QUEUE_OF_KIND, QUEUE_SLOTS

logger = logging.getLogger(__name__)

_BOX = "outbox"
_MARKS = "outbox_marks"


class Delivery(Protocol):
    def __call__(self) -> None: ...


@dataclass(frozen=True)
class _Message:
    job_id: UUID
    attempt: int
    queue: str

    def __call__(self) -> None:
        try:
            sender.send(self.job_id, self.attempt, self.queue)
        except sender.BrokerAway as error:
            logger.warning(
                "job message not sent, the sweeper will",
                extra={"job_id": str(self.job_id), "reason": str(error)},
            )


def queue_of(kind: JobKind) -> str:
    """The queue that a kind of job goes to."""
    return QUEUE_OF_KIND[kind]


def broker_keys() -> dict[str, str]:
    """Where the messages of each queue wait in Redis."""
    return {queue: KEY_PREFIX + queue for queue in QUEUE_SLOTS}


def enqueue(session: Session, job: Job) -> None:
    """Send the message of the job's current attempt after the commit."""
    job.dispatched_at = func.now()
    session.flush()
    _box(session).append(_Message(job.id, job.attempt, job.queue))


def publish(session: Session, event_: Event, room: str | None = None) -> None:
    """Emit an event after the commit."""
    _box(session).append(partial(emit, event_, room))


def emit(event_: Event, room: str | None = None) -> None:
    """Emit an event at once, outside a transaction; what is dropped is counted."""
    if not publisher.publish(event_, room):
        counters.add(Count.EVENTS_DROPPED)


def after_commit(session: Session, work: Delivery) -> None:
    """Do something that cannot be taken back, such as deleting files, after the commit."""
    _box(session).append(work)


def _box(session: Session) -> list[Delivery]:
    box: list[Delivery] = session.info.setdefault(_BOX, [])
    return box


@event.listens_for(Session, "after_transaction_create")
def _remember_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_MARKS, {})[transaction] = len(_box(session))


@event.listens_for(Session, "after_soft_rollback")
def _drop(session: Session, transaction: SessionTransaction) -> None:
    marks: dict[SessionTransaction, int] = session.info.get(_MARKS, {})
    del _box(session)[marks.pop(transaction, 0) :]
    if not transaction.nested:
        marks.clear()


@event.listens_for(Session, "after_commit")
def _deliver(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint was released, nothing is durable yet
        return
    session.info.pop(_MARKS, None)
    deliveries: list[Delivery] = session.info.pop(_BOX, [])
    for deliver in deliveries:
        deliver()
