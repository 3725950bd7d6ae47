"""Many Socket.IO clients in one process: only as much of the protocol as hearing events needs."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from app.websocket.server import SOCKET_PATH

EVENT = '42["training.progress"'
SEQ = '"seq":'
CONNECT_AT_ONCE = 25


@dataclass
class Crowd:
    """What all clients together heard: by event, how many, and how late."""

    heard: dict[int, int] = field(default_factory=dict)
    delays_ms: list[float] = field(default_factory=list)
    sent_at: dict[int, float] = field(default_factory=dict)
    connected: int = 0

    def hear(self, seq: int) -> None:
        self.heard[seq] = self.heard.get(seq, 0) + 1
        self.delays_ms.append(1000 * (time.perf_counter() - self.sent_at[seq]))

    def lost(self, clients: int) -> int:
        return clients * len(self.sent_at) - sum(self.heard.values())

    def p95_ms(self) -> float:
        return statistics.quantiles(self.delays_ms, n=20)[-1]


async def run_crowd(
    address: str,
    room: str,
    publish: Callable[[int], None],
    *,
    clients: int,
    events: int,
    per_second: float,
) -> Crowd:
    """Let clients join a room, publish events at a rate, and wait for the last of them.

    Args:
        address: Of the API.
        room: Joined by all.
        publish: Sends the event with a number.
        clients: How many.
        events: Published in all.
        per_second: Rate of publishing.
    """
    crowd = Crowd()
    everybody_in = asyncio.Event()
    gate = asyncio.Semaphore(CONNECT_AT_ONCE)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def client() -> None:
            url = f"{address}{SOCKET_PATH}/?EIO=4&transport=websocket"
            async with gate:
                socket = await session.ws_connect(url, max_msg_size=0)
                await socket.receive_str()  # Engine.IO's greeting
                await socket.send_str("40")
                await socket.receive_str()
                await socket.send_str("420" + json.dumps(["subscribe", {"room": room}]))
                await socket.receive_str()
            crowd.connected += 1
            if crowd.connected == clients:
                everybody_in.set()
            async for message in socket:
                if message.data == "2":
                    await socket.send_str("3")
                elif message.data.startswith(EVENT):
                    crowd.hear(_seq_of(message.data))

        tasks = [asyncio.create_task(client()) for _ in range(clients)]
        await asyncio.wait_for(everybody_in.wait(), 120)
        for seq in range(events):
            crowd.sent_at[seq] = time.perf_counter()
            await asyncio.to_thread(publish, seq)
            await asyncio.sleep(1 / per_second)
        deadline = time.perf_counter() + 20
        while crowd.lost(clients) and time.perf_counter() < deadline:
            await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return crowd


def _seq_of(text: str) -> int:
    start = text.index(SEQ) + len(SEQ)
    end = start
    while text[end].isdigit():
        end += 1
    return int(text[start:end])
