"""The Socket.IO server: validated subscriptions, nothing else. Workers emit through Redis."""

import logging
from datetime import UTC, datetime
from typing import Any

import redis
import socketio
from prometheus_client import Counter, Gauge, Histogram

from app.core.config import Settings
from app.core.origins import is_trusted_origin
from app.websocket.backlog import FIRST_PLACE, Entry, Replays
from app.websocket.publisher import CHANNEL
from app.websocket.rooms import is_room

SOCKET_PATH = "/ws/socket.io"
MAX_ROOMS_PER_CLIENT = 200
MAX_PLACE = 1_000_000

logger = logging.getLogger(__name__)

CONNECTIONS = Gauge("websocket_connections", "Clients of Socket.IO")
RELAYED = Counter("websocket_events", "Events passed on to clients", ["event"])
LAG = Histogram(
    "websocket_event_lag_seconds", "Age of an event when it is passed on",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0),
)  # fmt: skip


def create_server(settings: Settings) -> socketio.AsyncServer:
    """A server whose rooms are fed by every process that publishes on the same Redis."""
    manager = RelayingManager(
        settings.require_redis_url(), channel=CHANNEL, redis_options={"health_check_interval": 25}
    )
    manager.replays = Replays(settings.require_redis_url())
    server = socketio.AsyncServer(
        async_mode="asgi",
        client_manager=manager,
        cors_allowed_origins=lambda origin, _environ: is_trusted_origin(settings, origin),
        cors_credentials=False,
        max_http_buffer_size=16_384,
        logger=False,
        engineio_logger=False,
    )
    _add_handlers(server, manager.replays)
    return server


async def close_server(server: socketio.AsyncServer) -> None:
    """Let the clients go and stop listening to Redis."""
    await server.shutdown()
    await server.manager.replays.close()


class RelayingManager(socketio.AsyncRedisManager):  # type: ignore[misc]
    """Counts the events that arrive from other processes to be passed on, and their age.

    Those of a stream pass a client by that has them from its backlog.
    """

    replays: Replays

    async def _handle_emit(self, message: dict[str, Any]) -> None:
        RELAYED.labels(str(message.get("event"))).inc()
        _note_age(message)
        place = message.get("place")
        if place is not None:
            message["skip_sid"] = self.replays.passed_by(str(message["room"]), int(place))
        await super()._handle_emit(message)


def _note_age(message: dict[str, Any]) -> None:
    data = message.get("data")
    event = data[0] if isinstance(data, list) and data else None
    if isinstance(event, dict) and "timestamp" in event:
        sent = datetime.fromisoformat(event["timestamp"])
        LAG.observe(max(0.0, (datetime.now(UTC) - sent).total_seconds()))


def _add_handlers(server: socketio.AsyncServer, replays: Replays) -> None:
    async def send(entry: Entry, client: str) -> None:
        await server.manager.emit(
            entry["event"], entry["payload"], namespace="/", room=client, ignore_queue=True
        )

    async def connect(_sid: str, _environ: object, _auth: object = None) -> None:
        CONNECTIONS.inc()

    async def disconnect(sid: str, _reason: object = None) -> None:
        replays.forget(sid)
        CONNECTIONS.dec()

    async def subscribe(sid: str, data: object) -> dict[str, Any]:
        room = _room_of(data)
        if room is None or len(server.rooms(sid)) >= MAX_ROOMS_PER_CLIENT:
            return {"ok": False, "error": "unknown room"}
        after = data.get("after") if isinstance(data, dict) else None
        if after is not None and not _is_place(after):
            return {"ok": False, "error": "after is no index"}
        await server.enter_room(sid, room)
        if after is None:
            return {"ok": True, "room": room}
        try:
            return {"ok": True, "room": room, "sent": await replays.give(room, sid, after, send)}
        except (redis.RedisError, OSError) as error:
            logger.warning("no backlog", extra={"room": room, "reason": str(error)})
            return {"ok": True, "room": room, "sent": None}

    async def unsubscribe(sid: str, data: object) -> dict[str, Any]:
        room = _room_of(data)
        if room is None:
            return {"ok": False, "error": "unknown room"}
        await server.leave_room(sid, room)
        return {"ok": True, "room": room}

    async def ping(_sid: str, _data: object = None) -> dict[str, Any]:
        return {"type": "pong"}

    for handler in (connect, disconnect, subscribe, unsubscribe, ping):
        server.on(handler.__name__, handler)


def _is_place(value: object) -> bool:
    return type(value) is int and FIRST_PLACE <= value <= MAX_PLACE


def _room_of(data: object) -> str | None:
    name = data.get("room") if isinstance(data, dict) else data
    return str(name) if is_room(name) else None
