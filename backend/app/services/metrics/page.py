"""Puts the parts together; what is away is left out and said to be away."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from app.core.config import Settings
from app.core.errors import ServiceUnavailable
from app.services.metrics import broker, database, machine

logger = logging.getLogger(__name__)

# Several readers within this time get the same page: it costs a dozen queries.
KEPT_SECONDS = 2.0
AWAY = (SQLAlchemyError, redis.RedisError, OSError, ServiceUnavailable)
PARTS: dict[str, Callable[[Settings], list[Metric]]] = {
    "machine": machine.collect,
    "database": database.collect,
    "redis": broker.collect,
}

_lock = threading.Lock()
_made: tuple[float, bytes] = (0.0, b"")


def state_page(settings: Settings) -> bytes:
    global _made
    with _lock:
        at, page = _made
        if time.monotonic() - at > KEPT_SECONDS or not page:
            registry = CollectorRegistry()
            registry.register(_State(settings))
            page = generate_latest(registry)
            _made = (time.monotonic(), page)
    return page


class _State(Collector):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self) -> list[Metric]:
        return []  # else everything would be collected when it is registered

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("mistudio_up", "Whether a part could be asked", labels=["part"])
        for name, collect in PARTS.items():
            try:
                found = collect(self._settings)
            except AWAY as error:
                logger.warning("not measured", extra={"part": name, "reason": str(error)})
                found = []
                up.add_metric([name], 0)
            else:
                up.add_metric([name], 1)
            yield from found
        yield up
