"""What brings jobs back: lost messages, lost processes, planned shutdowns."""

import json
import logging
from collections.abc import Collection
from datetime import timedelta

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.config import Settings
from app.core.enums import JobState
from app.db.models import Job
from app.db.repositories import jobs
from app.db.session import session_scope
from app.services import counters
from app.services.counters import Count
from app.services.hub import tokens
from app.services.job_lifecycle import transition
from app.services.job_service import SHUTDOWN
from app.services.reconciliation import clear_after
from app.workers import sender
from app.workers.ending import LOST, interrupt
from app.workers.identity import ProcessIdentity
from app.workers.pressure import PRESSURE_REASONS, is_relieved
from app.workers.queues import KEY_PREFIX, QUEUE_SLOTS, UNACKED_KEY, task_id

logger = logging.getLogger(__name__)


def resume_after_shutdown(queues: Collection[str] | None = None) -> int:
    """Queue again what a shutdown paused.

    Args:
        queues: Only jobs of these queues; all by default.
    """
    resumed = 0
    with session_scope() as session:
        for job in jobs.list_paused_for(session, SHUTDOWN):
            if queues is not None and job.queue not in queues:
                continue
            locked = jobs.get(session, job.id, lock=True)
            if locked is None or locked.state is not JobState.PAUSED or locked.reason != SHUTDOWN:
                continue  # another process was faster
            locked.max_attempts += 1
            transition(session, locked, JobState.QUEUED, reason="start")
            resumed += 1
    return resumed


def resume_when_relieved(settings: Settings) -> int:
    """Queue again what a full disk, a lack of memory or a lost device had paused.

    Each time costs an attempt, so that a job that fills the disk itself does not do so for ever;
    after the last one it stays paused until somebody resumes it.
    """
    resumed = 0
    with session_scope() as session:
        for job in jobs.list_paused_for(session, *PRESSURE_REASONS):
            if job.attempt >= job.max_attempts:
                continue
            if not is_relieved(settings, job.reason or "", job.error_details or {}):
                continue
            locked = jobs.get(session, job.id, lock=True)
            if locked is None or locked.state is not JobState.PAUSED:
                continue
            transition(session, locked, JobState.QUEUED, reason="relieved")
            resumed += 1
    return resumed


def recover_lost_jobs(settings: Settings) -> int:
    """Interrupt and queue again the jobs whose process is gone.

    A process of this machine is looked up; one that cannot be seen from here counts as gone when
    its lease ended more than a lease's length ago. A living process is never given up, however late
    its heartbeat is.
    """
    recovered = 0
    with session_scope() as session:
        for job in jobs.list_owned(session):
            if not _is_lost(job, jobs.lease_age(session, job.id), settings.lease_duration):
                continue
            locked = jobs.get(session, job.id, lock=True)
            if locked is None or locked.lease_owner != job.lease_owner:
                continue
            if locked.state.is_active:
                if interrupt(session, locked, LOST).state.is_terminal:
                    clear_after(session, settings, locked)
            elif locked.lease_owner is not None:
                jobs.release(session, locked.id, locked.attempt, locked.lease_owner)
            recovered += 1
            counters.add(Count.OWNERS_LOST)
            logger.warning("owner of a job is gone", extra={"job_id": str(job.id)})
    return recovered


def _is_lost(job: Job, expired_for: timedelta | None, margin: timedelta) -> bool:
    owner = ProcessIdentity.parse(job.lease_owner or "")
    if owner is not None and owner.can_be_checked():
        return owner.is_provably_dead()
    return expired_for is not None and expired_for > margin


def republish_lost_messages(settings: Settings) -> int:
    """Send the message of queued jobs again that no broker queue holds any more.

    A message that turns up twice is harmless: the second delivery finds the job claimed.
    """
    with session_scope() as session:
        queued = jobs.list_queued(session, settings.republish_after)
        if not queued:
            return 0
        held = messages_in_broker(settings)
        lost = [job for job in queued if task_id(job.id, job.attempt) not in held]
        for job in lost:
            sender.send(job.id, job.attempt, job.queue)
            jobs.mark_dispatched(session, job.id, job.attempt)
            counters.add(Count.MESSAGES_SENT_AGAIN)
            logger.warning("job message sent again", extra={"job_id": str(job.id)})
    return len(lost)


def forget_tokens_of_ended_jobs(settings: Settings) -> int:
    """Remove the access tokens that a crash or a rolled back request left behind."""
    held = tokens.list_held(settings)
    if not held:
        return 0
    with session_scope() as session:
        states = jobs.states_of(session, list(held))
    gone = [
        job_id
        for job_id, must_have_row in held.items()
        if (states[job_id].is_terminal if job_id in states else must_have_row)
    ]
    for job_id in gone:
        tokens.forget(settings, job_id)
        logger.warning("access token of an ended job removed", extra={"job_id": str(job_id)})
    return len(gone)


def messages_in_broker(settings: Settings) -> set[str]:
    """Ids of the messages that wait in a queue or were handed out but not acknowledged."""
    found: set[str] = set()
    with redis.Redis.from_url(
        settings.require_redis_url(),
        socket_connect_timeout=2,
        socket_timeout=5,
        retry=Retry(NoBackoff(), 0),
    ) as client:
        for queue in QUEUE_SLOTS:
            for raw in client.lrange(KEY_PREFIX + queue, 0, -1):
                found.add(_id_of(raw))
        for raw in client.hvals(KEY_PREFIX + UNACKED_KEY):
            found.add(_id_of(raw))
    return found


def _id_of(raw: bytes) -> str:
    message = json.loads(raw)
    if isinstance(message, list):  # unacknowledged: [message, exchange, routing key]
        message = message[0]
    return str(message["headers"]["id"])


AWAY_BROKER = (redis.RedisError, sender.BrokerAway, OSError)
