"""Write-only door to Socket.IO: any process emits through Redis, the API's server relays.

The database is the truth and an event a hint, so an event is dropped when Redis is away.

It speaks python-socketio's Redis format itself: importing that package takes 1.3 s of the start of
every job, for one PUBLISH. ``tests/websocket/test_realtime.py`` holds the two together.
"""

import json
import logging
from functools import lru_cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.config import get_settings
from app.schemas.events import Event
from app.websocket.backlog import FIRST_PLACE, KEPT_SECONDS, key_of

CHANNEL = "mistudio.socketio"
HOST_ID = "mistudio-publisher"

logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        get_settings().require_redis_url(),
        socket_connect_timeout=2,
        socket_timeout=5,
        health_check_interval=25,
        retry=Retry(NoBackoff(), 1),  # one more try, for a connection that Redis has closed
    )


def publish(event: Event, room: str | None = None) -> bool:
    """Emit an event to its rooms, or to one given room; False when it was dropped."""
    payload = event.model_dump(mode="json")
    for name in [room] if room else event.rooms():
        try:
            _send(event, payload, name)
        except (redis.RedisError, OSError) as error:
            logger.warning("event dropped", extra={"event": event.name, "reason": str(error)})
            return False
    return True


def _send(event: Event, payload: object, room: str) -> None:
    place = event.place()
    message = encode_emit(event.name, payload, room, place)
    if place is None:
        _client().publish(CHANNEL, message)
        return
    key, entry = key_of(room), {"event": event.name, "payload": payload, "place": place}
    with _client().pipeline() as together:
        if place == FIRST_PLACE:  # another attempt writes the text anew
            together.delete(key)
        together.rpush(key, json.dumps(entry))
        together.expire(key, KEPT_SECONDS)
        together.publish(CHANNEL, message)
        together.execute()


def encode_emit(event: str, payload: object, room: str, place: int | None = None) -> str:
    """An ``emit`` as python-socketio's pub/sub manager reads it; ``place`` is for our server."""
    return json.dumps(
        {
            "place": place,
            "method": "emit",
            "event": event,
            "data": [payload],
            "binary": False,
            "namespace": "/",
            "room": room,
            "skip_sid": None,
            "callback": None,
            "host_id": HOST_ID,
        }
    )


def reset_publisher() -> None:
    """Drop the connection, after a fork or when the address changed."""
    _client.cache_clear()
