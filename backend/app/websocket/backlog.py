"""Streams that can be asked for again: what a room was told of a text, in Redis for a while.

Whoever publishes appends an event here before it is sent, so that everything a client may have
missed lies here. ``Replays`` gives it to one client, in order, each event once.
"""

import json
from collections import defaultdict
from typing import Any, Protocol

from redis.asyncio import Redis

KEPT_SECONDS = 900
FIRST_PLACE = -1
"""Place of the event that begins a stream; the tokens of a text count from 0."""

Entry = dict[str, Any]


def key_of(room: str) -> str:
    """Where the stream of a room lies: a list of ``{"event", "payload", "place"}``."""
    return f"mistudio:stream:{room}"


class Send(Protocol):
    async def __call__(self, entry: Entry, client: str) -> None: ...


class Replays:
    """Which clients are given a stream again, and how far each of them is.

    All of it runs in one event loop. While a client is given what lies in Redis, live events pass
    it by; they lie there too, because they were appended first.
    """

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(redis_url, decode_responses=True, health_check_interval=25)
        self._given: dict[str, dict[str, int]] = defaultdict(dict)
        self._held: dict[str, dict[str, int]] = defaultdict(dict)

    async def give(self, room: str, client: str, after: int, send: Send) -> int:
        """Send what lies behind a place; the client must have entered the room just before.

        Returns:
            The number of events sent.

        Raises:
            redis.RedisError: Redis is away; the client hears live events only.
        """
        last = after if after > FIRST_PLACE else FIRST_PLACE - 1
        held = self._held[room]
        held[client] = last
        sent = 0
        try:
            while True:
                for entry in await self._read(room):
                    if entry["place"] > last:
                        last, sent = entry["place"], sent + 1
                        await send(entry, client)
                if held.get(client, last) <= last:
                    return sent
        finally:
            held.pop(client, None)
            self._given[room][client] = last
            self._tidy(room)

    def passed_by(self, room: str, place: int) -> list[str]:
        """Clients that have, or will be given, the live event at this place by other means."""
        for client in self._held.get(room, {}):
            self._held[room][client] = max(place, self._held[room][client])
        given = self._given.get(room, {})
        had = [client for client, last in given.items() if place <= last]
        # Live events come in order, so whoever hears one hears all later ones.
        for client in [it for it in given if it not in had and it not in self._held.get(room, {})]:
            del given[client]
        self._tidy(room)
        return [*had, *(it for it in self._held.get(room, {}) if it not in had)]

    def forget(self, client: str) -> None:
        """The client has gone."""
        for room in [*self._given]:
            self._given[room].pop(client, None)
            self._tidy(room)

    async def close(self) -> None:
        await self._redis.aclose()

    async def _read(self, room: str) -> list[Entry]:
        lines = await self._redis.lrange(key_of(room), 0, -1)
        return [json.loads(line) for line in lines]

    def _tidy(self, room: str) -> None:
        for clients in (self._given, self._held):
            if room in clients and not clients[room]:
                del clients[room]
