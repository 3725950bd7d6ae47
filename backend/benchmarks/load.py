"""A small HTTP client for load: raw sockets, kept open, so that the server is what is measured."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Load:
    """What a number of clients got that each asked again as soon as they were answered."""

    requests: int
    seconds: float
    median_ms: float
    p95_ms: float
    failures: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def ask_for(address: str, paths: list[str], *, clients: int, seconds: float) -> Load:
    """Ask for ``paths`` in turn from some clients at once.

    Args:
        address: Of the server, such as ``http://127.0.0.1:8000``.
        paths: What is asked for.
        clients: Connections, each with one request at a time.
        seconds: For how long.
    """
    return asyncio.run(_ask_all(address, paths, clients, seconds))


async def _ask_all(address: str, paths: list[str], clients: int, seconds: float) -> Load:
    parts = urlsplit(address)
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode("ascii") for path in paths
    ]
    taken: list[float] = []
    failures = [0]
    end = time.perf_counter() + seconds
    began = time.perf_counter()
    await asyncio.gather(
        *(
            _ask(str(parts.hostname), parts.port or 80, requests, number, end, taken, failures)
            for number in range(clients)
        )
    )
    spent = time.perf_counter() - began
    p95 = statistics.quantiles(taken, n=20)[-1]
    return Load(len(taken), spent, 1000 * statistics.median(taken), 1000 * p95, failures[0])


async def _ask(
    host: str,
    port: int,
    requests: list[bytes],
    first: int,
    end: float,
    taken: list[float],
    failures: list[int],
) -> None:
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 24)
    number = first
    while (start := time.perf_counter()) < end:
        writer.write(requests[number % len(requests)])
        number += 1
        head = await reader.readuntil(HEAD_END)
        await reader.readexactly(_length_of(head))
        taken.append(time.perf_counter() - start)
        failures[0] += not head.startswith(b"HTTP/1.1 200")
    writer.close()


def _length_of(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise ValueError("an answer without a length")
