"""Asks for the access token, when there is one, before anything else is looked at."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import error_response
from app.core.config import Settings
from app.core.enums import ErrorCode
from app.core.errors import AppError
from app.core.security import CHALLENGE, COOKIE, cookie_value, is_authorized, is_password

# What supervisors and containers ask every few seconds: which parts run, nothing of the data.
OPEN_PATHS = frozenset({"/api/v1/health/live", "/api/v1/health/ready"})


class Unauthorized(AppError):
    code = ErrorCode.UNAUTHORIZED
    status = 401


class AccessToken:
    """Everything below it needs the token: REST, documents, metrics, sockets and the page."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._token = settings.token.get_secret_value() if settings.token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._token is None or scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        authorization = headers.get("authorization")
        if is_authorized(self._token, authorization, headers.get("cookie")):
            await self.app(scope, receive, self._remembering(authorization, scope, send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            refusal = Unauthorized(
                "This server asks for its access token (MISTUDIO_TOKEN): as a bearer token, or as "
                "the password in the browser's dialogue."
            )
            response = error_response(Request(scope), refusal, {"WWW-Authenticate": CHALLENGE})
            await response(scope, receive, send)

    def _remembering(self, authorization: str | None, scope: Scope, send: Send) -> Send:
        """Set the cookie after the browser's dialogue: sockets cannot send a password."""
        if scope["type"] != "http" or not is_password(authorization):
            return send
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        value = cookie_value(self._token or "")
        cookie = f"{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{secure}"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        return send_with_cookie
