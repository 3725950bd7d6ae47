"""Client-only Celery application: puts a job's message on its queue, knows no task."""

from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

import redis

from app.core.config import get_settings
from app.workers.queues import RUN_TASK, celery_config, task_id

if TYPE_CHECKING:
    from celery import Celery


class BrokerAway(Exception):
    """The message was not sent; the sweeper will send it."""


@lru_cache(maxsize=1)
def _client() -> "Celery":
    from celery import Celery  # 0.6 s that a job's child, which sends nothing, does not need

    client = Celery("mistudio-sender", set_as_current=False)
    client.conf.update(celery_config(get_settings()))
    # An API request must not wait for a broker that is away; the sweeper sends it later.
    client.conf.broker_transport_options |= {"socket_connect_timeout": 2, "socket_timeout": 5}
    return client


def send(job_id: UUID, attempt: int, queue: str) -> None:
    """Wake a worker for one attempt of a job.

    Raises:
        BrokerAway: The broker cannot be reached.
    """
    from kombu.exceptions import OperationalError

    try:
        _client().send_task(
            RUN_TASK,
            args=[str(job_id), attempt],
            task_id=task_id(job_id, attempt),
            queue=queue,
            retry=False,
            ignore_result=True,
        )
    except (OperationalError, redis.RedisError, OSError) as error:
        raise BrokerAway(str(error)) from error


def reset_client() -> None:
    """Drop the connections, after a fork or when the address changed."""
    _client.cache_clear()
