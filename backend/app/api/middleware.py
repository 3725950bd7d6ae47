"""What happens to every request before and after its endpoint, as plain ASGI."""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import internal_error
from app.api.guard import API_PREFIX, SAFE_METHODS
from app.api.metrics import IN_FLIGHT, note_request
from app.core.logging import REQUEST_ID_HERE

logger = logging.getLogger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
DOCS_PATHS = ("/docs", "/redoc")

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# ReDoc searches in a worker that it makes itself.
DOCS_POLICY = PAGE_POLICY.replace("default-src 'self'", "default-src 'self'; worker-src blob:")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class RequestContext:
    """Gives each request an id, each answer its headers and the log one line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        token = REQUEST_ID_HERE.set(request_id)
        IN_FLIGHT.inc()
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), scope["path"], request_id)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            IN_FLIGHT.dec()
            note_request(scope, status, seconds)
            _log_request(scope, status, seconds)
            REQUEST_ID_HERE.reset(token)


class NotModified:
    """Answers 304 when a client that names the ETag it has would get the same again."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = Headers(scope=scope).get("if-none-match") if scope["type"] == "http" else None
        if known is None or scope["method"] not in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        is_same = False

        async def send_unless_known(message: Message) -> None:
            nonlocal is_same
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                tag = headers.get("etag")
                is_same = message["status"] == 200 and tag is not None and bool(tags & {tag, "*"})
                if is_same:
                    message["status"] = 304
                    del headers["content-length"]
                    del headers["content-type"]
            elif is_same:
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self.app(scope, receive, send_unless_known)


class HeadersOnly:
    """Answers HEAD as GET without the body (RFC 9110, section 9.3.2): routes know GET alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        inner = dict(scope, method="GET")

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
            elif not message.get("more_body"):
                await send({"type": "http.response.body", "body": b""})

        await self.app(inner, receive, send_headers)
        scope["endpoint"] = inner.get("endpoint")  # what the metrics are counted by


class LastResort:
    """Turns an exception that nobody expected into the envelope, with the stack in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False

        async def note_start(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, note_start)
        except Exception:
            logger.exception("unhandled error", extra={"path": scope["path"]})
            if has_started:
                raise
            await internal_error(Request(scope))(scope, receive, send)


def _request_id(given: str | None) -> str:
    if given is not None and REQUEST_ID.fullmatch(given):
        return given
    return f"req_{uuid.uuid4().hex[:16]}"


def _add_headers(headers: MutableHeaders, path: str, request_id: str) -> None:
    headers["X-Request-ID"] = request_id
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    policy = DOCS_POLICY if path.startswith(DOCS_PATHS) else PAGE_POLICY
    headers.setdefault("Content-Security-Policy", policy)
    if path.startswith(API_PREFIX):
        headers.setdefault("Cache-Control", "no-store")


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    if not scope["path"].startswith(API_PREFIX):
        return
    level = logging.WARNING if status >= 500 else logging.INFO
    if status < 400 and scope["method"] in SAFE_METHODS:
        level = logging.DEBUG
    logger.log(
        level,
        "request",
        extra={
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "duration_ms": round(1000 * seconds, 1),
        },
    )
