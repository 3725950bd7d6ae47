"""Counts of what happens in any process, kept in Redis and shown by ``/metrics``.

Nothing depends on them. What happens while Redis is away is added when it is back, if the process
still lives.
"""

import logging
import threading
from collections import defaultdict
from enum import StrEnum

import redis

from app.core.errors import ServiceUnavailable
from app.services.shared_redis import shared_redis

KEY = "mistudio:counters"
logger = logging.getLogger(__name__)

_lock = threading.Lock()
_waiting: defaultdict[str, float] = defaultdict(float)


class Count(StrEnum):
    DUPLICATE_DELIVERIES = "job_duplicate_deliveries"
    MESSAGES_SENT_AGAIN = "job_messages_sent_again"
    OWNERS_LOST = "job_owners_lost"
    CANCELS = "job_cancels"
    CANCEL_SECONDS = "job_cancel_seconds"
    CHILDREN_KILLED = "job_children_killed"
    CHECKPOINT_SAVES = "checkpoint_saves"
    CHECKPOINT_SECONDS = "checkpoint_save_seconds"
    CHECKPOINT_BYTES = "checkpoint_saved_bytes"
    CHECKPOINT_FAILURES = "checkpoint_save_failures"
    CHECKPOINTS_DAMAGED = "checkpoints_damaged"
    WRITE_ERRORS = "job_write_errors"
    EVENTS_DROPPED = "events_dropped"


def add(count: Count, amount: float = 1.0, *, label: str = "") -> None:
    """Add to a counter.

    Args:
        count: Which.
        amount: How much.
        label: Tells kinds of the same counter apart, such as the signal that ended a child.
    """
    with _lock:
        _waiting[f"{count}|{label}"] += amount
        amounts = dict(_waiting)
        _waiting.clear()
    try:
        with shared_redis().pipeline() as together:
            for field, sum_ in amounts.items():
                together.hincrbyfloat(KEY, field, sum_)
            together.execute()
    except (redis.RedisError, OSError, ServiceUnavailable) as error:
        with _lock:
            for field, sum_ in amounts.items():
                _waiting[field] += sum_
        logger.debug("counted later", extra={"count": count, "reason": str(error)})


def forget_waiting() -> None:
    """Drop what was counted without Redis: a copy of this process would count it again."""
    _waiting.clear()


def read() -> list[tuple[Count, str, float]]:
    """Everything that was counted: counter, label, sum.

    Raises:
        redis.RedisError: Redis is away.
    """
    found = []
    for field, value in shared_redis().hgetall(KEY).items():
        name, _, label = str(field).partition("|")
        if name in list(Count):
            found.append((Count(name), label, float(value)))
    return found
