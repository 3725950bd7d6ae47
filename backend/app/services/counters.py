"""Counts of what happens in any process, kept in Redis and shown by ``/metrics``.

Nothing depends on them: without Redis nothing is counted.
"""

import logging
from enum import StrEnum

import redis

from app.core.errors import ServiceUnavailable
from app.services.shared_redis import shared_redis

KEY = "mistudio:counters"
logger = logging.getLogger(__name__)


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
    CHECKPOINTS_DAMAGED = "checkpoints_damaged"


def add(count: Count, amount: float = 1.0, *, label: str = "") -> None:
    """Add to a counter.

    Args:
        count: Which.
        amount: How much.
        label: Tells kinds of the same counter apart, such as the signal that ended a child.
    """
    try:
        shared_redis().hincrbyfloat(KEY, f"{count}|{label}", amount)
    except (redis.RedisError, OSError, ServiceUnavailable) as error:
        logger.debug("not counted", extra={"count": count, "reason": str(error)})


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
