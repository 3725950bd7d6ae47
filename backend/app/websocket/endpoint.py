"""The ASGI end of Socket.IO, mounted when the application is made, opened when it starts."""

import socketio
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.config import Settings
from app.websocket.server import SOCKET_PATH, close_server, create_server

HTTP_UNAVAILABLE = 503


class SocketEndpoint:
    """Answers 503 until ``open`` was called, so that the OpenAPI document needs no Redis."""

    def __init__(self) -> None:
        self.server: socketio.AsyncServer | None = None
        self._app: ASGIApp | None = None

    def open(self, settings: Settings) -> None:
        self.server = create_server(settings)
        self._app = socketio.ASGIApp(self.server, socketio_path=SOCKET_PATH)

    async def close(self) -> None:
        """Let the clients go and stop listening to Redis."""
        if self.server is not None:
            await close_server(self.server)
        self.server = self._app = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is not None and not f"{scope['path']}/".startswith(f"{SOCKET_PATH}/"):
            await _nothing_here(scope, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1013})
        else:
            await send({"type": "http.response.start", "status": HTTP_UNAVAILABLE, "headers": []})
            await send({"type": "http.response.body", "body": b""})


async def _nothing_here(scope: Scope, send: Send) -> None:
    """The library hands a socket at another address on to nobody, which is an error of ours."""
    if scope["type"] == "http":
        raise HTTPException(404)
    await send({"type": "websocket.close", "code": 1008})
