"""Connections to Redis that give up soon: one for what may be lost, and one for a question."""

from functools import lru_cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.config import Settings, get_settings

PATIENCE_SECONDS = 1.0


@lru_cache(maxsize=1)
def shared_redis() -> redis.Redis:
    """Answers are text. Its methods raise ``redis.RedisError`` when Redis is away."""
    return redis.Redis.from_url(
        get_settings().require_redis_url(),
        socket_connect_timeout=PATIENCE_SECONDS,
        socket_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 1),
        decode_responses=True,
    )


def brief_redis(settings: Settings) -> redis.Redis:
    """A connection for one question, to be closed; it gives up at once and answers in bytes."""
    return redis.Redis.from_url(
        settings.require_redis_url(),
        socket_connect_timeout=PATIENCE_SECONDS,
        socket_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def reset_shared_redis() -> None:
    """Drop the connection, after a fork or when the address changed."""
    shared_redis.cache_clear()
