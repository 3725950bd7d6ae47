"""Refuses what would write while the disk is nearly full, before PostgreSQL itself gives out.

Running jobs pause earlier (``Settings.disk_reserve_bytes``). What remains below that is for the
servers' logs, and for the requests that make room: deleting, cancelling, pausing, stopping.
"""

import os
import time

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import error_response
from app.api.guard import API_PREFIX, SAFE_METHODS
from app.core.config import Settings
from app.core.enums import ErrorCode
from app.core.errors import ServiceUnavailable

CHECK_SECONDS = 1.0
MAKES_ROOM = ("/cancel", "/pause", "/stop")


class DiskNearlyFull(ServiceUnavailable):
    code = ErrorCode.DISK_FULL


class ReadOnly:
    """Reading goes on; what would need the disk is answered 503 with the numbers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._home = settings.home
        self._reserve = settings.read_only_below_bytes
        self._looked_at = 0.0
        self._free = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _writes(scope) or self._free_bytes() >= self._reserve:
            await self.app(scope, receive, send)
            return
        refusal = DiskNearlyFull(
            f"The disk is nearly full ({self._free // 1_000_000} MB are free): only reading and "
            "deleting work until there is room again. Delete what you no longer need.",
            details={"free_bytes": self._free, "needed_bytes": self._reserve},
        )
        await error_response(Request(scope), refusal)(scope, receive, send)

    def _free_bytes(self) -> int:
        if time.monotonic() - self._looked_at > CHECK_SECONDS:
            found = os.statvfs(self._home)
            self._free = found.f_bavail * found.f_frsize
            self._looked_at = time.monotonic()
        return self._free


def _writes(scope: Scope) -> bool:
    path: str = scope["path"]
    if scope["method"] in SAFE_METHODS or scope["method"] == "DELETE":
        return False
    return path.startswith(API_PREFIX) and not path.endswith(MAKES_ROOM)
