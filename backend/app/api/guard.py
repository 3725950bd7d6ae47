"""Refuses what no honest client sends: foreign hosts and pages, odd bodies, bodies without end."""

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import (
    ForbiddenOrigin,
    PayloadTooLarge,
    TooManyUploads,
    UnsupportedMediaType,
    error_response,
)
from app.core.config import Settings
from app.core.errors import AppError, ValidationFailed
from app.core.origins import is_trusted_host, is_trusted_origin

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_BODY_BYTES = 4 * 1024**2
# The only bodies that go to the disk as they arrive, so the only ones that may be large.
UPLOADS = frozenset({"/api/v1/datasets/upload", "/api/v1/features/upload"})
API_PREFIX = "/api/"
# An upload keeps a thread; more of them would leave none for other requests.
MAX_UPLOADS = 4
# How long the next piece of a body may take. A slow network sends something in that time.
BODY_PATIENCE_SECONDS = 30.0
FORM = "multipart/form-data"
JSON = "application/json"


class Guard:
    """Sees every request and every socket handshake before any of our code does."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._settings = settings
        self._uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        is_upload = scope.get("method") == "POST" and scope["path"] in UPLOADS
        refusal = self._refusal(scope, is_upload)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
        elif scope["type"] == "http":
            await self._admit(scope, receive, send, is_upload)
        else:
            await self.app(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send, is_upload: bool) -> None:
        body = LimitedBody(receive, self._limit(is_upload))
        if not is_upload:
            await self.app(scope, body, send)
            return
        self._uploads += 1
        try:
            await self.app(scope, body, send)
        finally:
            self._uploads -= 1

    def _limit(self, is_upload: bool) -> int:
        return self._settings.max_upload_bytes if is_upload else MAX_BODY_BYTES

    def _refusal(self, scope: Scope, is_upload: bool) -> AppError | None:
        headers = Headers(scope=scope)
        if not is_trusted_host(self._settings, headers.get("host")):
            return ForbiddenOrigin(
                "This address is not known to the server. Add its name to MISTUDIO_ALLOWED_HOSTS.",
                details={"host": (headers.get("host") or "")[:200]},
            )
        if self._is_foreign_page(scope, headers):
            return ForbiddenOrigin(
                "Requests from other web pages are refused.",
                details={"origin": (headers.get("origin") or "")[:200]},
            )
        if b"%00" in scope.get("query_string", b"") or "\0" in scope["path"]:
            return ValidationFailed("An address must not hold NUL characters.")
        if is_upload and self._uploads >= MAX_UPLOADS:
            return TooManyUploads("Other uploads are running. Try again when one has ended.")
        return self._body_refusal(scope, headers, is_upload)

    def _body_refusal(self, scope: Scope, headers: Headers, is_upload: bool) -> AppError | None:
        length = headers.get("content-length", "0")
        limit = self._limit(is_upload)
        if not (length.isascii() and length.isdigit()) or int(length) > limit:
            return PayloadTooLarge(
                "The request's body is too large.", details={"limit_bytes": limit}
            )
        has_body = int(length) > 0 or "transfer-encoding" in headers
        if scope["type"] != "http" or not has_body or not scope["path"].startswith(API_PREFIX):
            return None
        wanted = FORM if is_upload else JSON
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        # Another method at an upload's address is told that it is not possible, not how to send it.
        is_form_there = kind == FORM and scope["path"] in UPLOADS
        if kind != wanted and not is_form_there:
            return UnsupportedMediaType(
                f"Send the body as {wanted}.", details={"content_type": kind[:200]}
            )
        return None

    def _is_foreign_page(self, scope: Scope, headers: Headers) -> bool:
        """Whether another site asks for what it may not: a change, or anything of the API.

        Some reading is work for a model, and an image on any page can ask for it.
        """
        is_safe = scope["type"] == "http" and scope["method"] in SAFE_METHODS
        if headers.get("sec-fetch-site") == "cross-site":
            return not is_safe or scope["path"].startswith(API_PREFIX)
        return not is_safe and not is_trusted_origin(self._settings, headers.get("origin"))


class LimitedBody:
    """A request's ``receive`` that counts bytes and does not wait for ever for the next ones."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._size = 0
        self._is_complete = False

    async def __call__(self) -> Message:
        if self._is_complete:  # what follows is the client's leaving
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), BODY_PATIENCE_SECONDS)
        except TimeoutError:
            raise HTTPException(408, "The body did not arrive. Try again.") from None
        self._size += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._size > self._limit:
            raise HTTPException(413, "The request's body is too large.")
        return message


async def _refuse(refusal: AppError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await error_response(Request(scope), refusal)(scope, receive, send)
