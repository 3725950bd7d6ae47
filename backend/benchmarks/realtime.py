"""Events from a worker's publisher to a client: ``python -m benchmarks.realtime``."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from uuid import UUID, uuid4

import socketio

from app.core.config import Settings
from app.core.enums import TrainingStatus
from app.schemas.events import TrainingProgress, TrainingProgressData
from app.supervisor import ports, stack
from app.websocket.publisher import publish
from app.websocket.server import SOCKET_PATH
from benchmarks.servers import fresh_servers

DEADLINE_SECONDS = 60.0


@contextmanager
def running_api(settings: Settings) -> Iterator[str]:
    """The API in a process of its own, as in production; yields its address.

    Raises:
        TimeoutError: it does not answer.
    """
    port = ports.pick_port()
    api = stack.api_unit(settings, port).target
    api.spawn()
    try:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not api.is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the API did not start; see {api.log_path}")
            time.sleep(0.05)
        yield stack.address(settings.host, port)
    finally:
        api.stop()


def progress(training_id: UUID, seq: int) -> TrainingProgress:
    """An event of the usual size."""
    data = TrainingProgressData(
        training_id=training_id,
        status=TrainingStatus.TRAINING,
        step=seq,
        total_steps=10_000,
        progress=seq / 100,
        metrics={"loss": 0.5, "l0": 32.0, "dead_neurons": 0.0, "explained_variance": 0.8},
        points=[{"step": seq, "loss": 0.5, "l0": 32.0}],
        estimated_remaining_seconds=60.0,
    )
    return TrainingProgress(seq=seq, data=data)


def delays_ms(training_id: UUID, heard: Queue[int], events: int) -> list[float]:
    """One event at a time: from the publisher's call to the client's handler."""
    delays = []
    for seq in range(events):
        start = time.perf_counter()
        publish(progress(training_id, seq))
        heard.get(timeout=DEADLINE_SECONDS)
        delays.append(1000 * (time.perf_counter() - start))
    return delays[1:]  # the first one also connects


def events_per_second(training_id: UUID, heard: Queue[int], events: int) -> float:
    start = time.perf_counter()
    for seq in range(events):
        publish(progress(training_id, seq))
    for _ in range(events):
        heard.get(timeout=DEADLINE_SECONDS)
    return events / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300)
    options = parser.parse_args()
    heard: Queue[int] = Queue()
    training_id = uuid4()
    with fresh_servers() as settings, running_api(settings) as address:
        client = socketio.Client(reconnection=False)
        client.on(TrainingProgress.name, lambda event: heard.put(event["seq"]))
        client.connect(address, transports=["websocket"], socketio_path=SOCKET_PATH)
        client.call("subscribe", {"room": f"training:{training_id}"})
        delays = delays_ms(training_id, heard, options.events)
        rate = events_per_second(training_id, heard, options.events)
        client.disconnect()
    slow = statistics.quantiles(delays, n=20)[-1]
    print("\nSocket.IO: publisher -> Valkey -> API -> client")
    print(
        f"{'delay of one event':<44}{statistics.median(delays):>9.1f} ms median, {slow:.1f} ms p95"
    )
    print(f"{'events in a burst':<44}{rate:>9,.0f} events/s")


if __name__ == "__main__":
    main()
