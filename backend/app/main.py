"""Puts the application together: ``uvicorn app.main:create_app --factory``."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.api.access import AccessToken
from app.api.errors import add_error_handlers
from app.api.guard import Guard
from app.api.metrics import add_metrics, watch_event_loop
from app.api.middleware import HeadersOnly, LastResort, NotModified, RequestContext
from app.api.openapi import add_docs, build_openapi, operation_id
from app.api.rate_limit import RateLimit
from app.api.read_only import ReadOnly
from app.api.v1.router import add_operations
from app.core.collector import spared_collector
from app.core.config import Settings, get_settings
from app.core.errors import ServiceUnavailable
from app.core.logging import configure_logging
from app.core.paths import ensure_home
from app.core.release import RELEASE
from app.db.session import reset_engine
from app.websocket.endpoint import SocketEndpoint
from app.websocket.publisher import reset_publisher

logger = logging.getLogger(__name__)

DESCRIPTION = "From a corpus and a language model to named features and a steered model."

OPEN_TO_NETWORK = (
    "Other machines can reach this server and it asks nobody for a token: whoever is in the "
    "network can use it. Set MISTUDIO_TOKEN, or MISTUDIO_HOST=127.0.0.1."
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole application; importing and calling this loads no torch."""
    settings = settings or get_settings()
    socket = SocketEndpoint()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        configure_logging(settings, process="api")
        ensure_home(settings.home)
        if settings.is_open_to_network:
            logger.warning(OPEN_TO_NETWORK, extra={"host": settings.host})
        try:
            socket.open(settings)
        except ServiceUnavailable as error:
            logger.warning("no live updates", extra={"reason": error.message})
        watching = asyncio.create_task(watch_event_loop())
        with spared_collector():
            yield
        watching.cancel()
        await socket.close()
        reset_engine()
        reset_publisher()

    app = FastAPI(
        title="MechInterp Studio",
        version=RELEASE,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.openapi = lambda: build_openapi(app)  # type: ignore[method-assign]
    add_operations(app)
    app.mount("/ws", socket)
    add_docs(app)
    add_metrics(app)
    add_error_handlers(app)
    # The last one added is the first to see a request.
    app.add_middleware(HeadersOnly)
    app.add_middleware(LastResort)
    app.add_middleware(NotModified)
    app.add_middleware(ReadOnly, settings=settings)
    app.add_middleware(RateLimit, settings=settings)
    app.add_middleware(AccessToken, settings=settings)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(RequestContext)
    return app
