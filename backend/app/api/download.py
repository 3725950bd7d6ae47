"""A file as an answer whose failures look like all others."""

from __future__ import annotations

import shutil
from pathlib import Path

import anyio
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

_REFUSED = {
    400: "The Range header cannot be read. Ask for bytes=FIRST-LAST, or leave it out.",
    416: "The file ends before the range begins; Content-Range has its size.",
}


class Download(FileResponse):
    """A file under its own name, whole or a range of it.

    Args:
        path: The file.
        temporary: A folder that is removed however the answer ends.
    """

    def __init__(self, path: Path, temporary: Path | None = None) -> None:
        super().__init__(path, filename=path.name)
        self._temporary = temporary

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_envelope(message: Message) -> None:
            # Starlette answers a range that does not fit by plain text or by nothing.
            if message["type"] == "http.response.start" and message["status"] in _REFUSED:
                raise _refusal(message)
            await send(message)

        try:
            await super().__call__(scope, receive, send_in_envelope)
        finally:
            if self._temporary is not None:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(_remove, self._temporary)


def _refusal(start: Message) -> HTTPException:
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    kept = {name: value for name, value in headers.items() if name.lower() == "content-range"}
    return HTTPException(start["status"], _REFUSED[start["status"]], kept)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
