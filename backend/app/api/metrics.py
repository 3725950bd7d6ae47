"""``GET /metrics``: what this process counts, and the state of everything."""

import asyncio
import time
from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, Info, generate_latest
from sqlalchemy import Engine, event
from starlette.responses import Response
from starlette.types import Scope

from app.api.deps import SettingsDep
from app.core.release import RELEASE
from app.db.session import get_engine
from app.services.metrics import state_page

REQUESTS = Counter("api_requests", "Total API requests", ["endpoint", "method", "status"])
LATENCY = Histogram(
    "api_request_duration_seconds", "Time until the answer was sent", ["endpoint", "method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0),
)  # fmt: skip
IN_FLIGHT = Gauge("api_requests_in_flight", "Requests that are being answered")
QUERIES = Histogram(
    "db_query_duration_seconds", "Statements of this process",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0),
)  # fmt: skip
LOOP_LAG = Histogram(
    "event_loop_lag_seconds", "How late a timer of the event loop went off",
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0),
)  # fmt: skip
POOL = Gauge("db_pool_connections", "Connections of this process", ["state"])
Info("mistudio_build", "What runs here").info({"version": RELEASE})

LAG_INTERVAL_SECONDS = 0.5
_STARTED = "mistudio_query_started"


def note_request(scope: Scope, status: int, seconds: float) -> None:
    """Count a request under the id of its operation; addresses that do not exist share one."""
    endpoint = getattr(scope.get("endpoint"), "__name__", "none")
    REQUESTS.labels(endpoint, scope["method"], str(status)).inc()
    LATENCY.labels(endpoint, scope["method"]).observe(seconds)


def add_metrics(app: FastAPI) -> None:
    measure_queries()

    def metrics(settings: SettingsDep) -> Response:
        _note_pool()
        page = generate_latest() + state_page(settings)
        return Response(page, media_type=CONTENT_TYPE_LATEST)

    app.add_api_route("/metrics", metrics, include_in_schema=False)


async def watch_event_loop() -> None:
    """Measure until cancelled how late timers go off: what blocks the loop shows here."""
    with suppress(asyncio.CancelledError):
        while True:
            due = time.perf_counter() + LAG_INTERVAL_SECONDS
            await asyncio.sleep(LAG_INTERVAL_SECONDS)
            LOOP_LAG.observe(max(0.0, time.perf_counter() - due))


def measure_queries() -> None:
    """Time the statements of every engine of this process; asking twice changes nothing."""
    if not event.contains(Engine, "before_cursor_execute", _before):
        event.listen(Engine, "before_cursor_execute", _before)
        event.listen(Engine, "after_cursor_execute", _after)


def _before(connection: Any, *_: Any) -> None:
    connection.info[_STARTED] = time.perf_counter()


def _after(connection: Any, *_: Any) -> None:
    started = connection.info.pop(_STARTED, None)
    if started is not None:
        QUERIES.observe(time.perf_counter() - started)


def _note_pool() -> None:
    pool: Any = get_engine().pool
    POOL.labels("in_use").set(pool.checkedout())
    POOL.labels("free").set(pool.checkedin())
