"""Structured logs: one JSON object per line on stderr, secrets blanked."""

import logging
import os
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from app.core.config import Settings

# Hugging Face tokens, bearer headers, and passwords inside addresses.
_SECRETS = re.compile(r"hf_[A-Za-z0-9]{8,}|(?<=[Bb]earer )\S+|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)")
BLANK = "***"
# The request that a line is written for; threads that answer a request inherit it.
REQUEST_ID_HERE: ContextVar[str | None] = ContextVar("request_id", default=None)


def redact(text: str) -> str:
    """The text without tokens and passwords."""
    return _SECRETS.sub(BLANK, text)


class _JsonLines(JsonFormatter):
    def add_fields(
        self,
        log_data: dict[str, Any],
        record: logging.LogRecord,
        message_dict: dict[str, Any],
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat()
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        request_id = REQUEST_ID_HERE.get()
        if request_id is not None:
            log_data.setdefault("request_id", request_id)

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _PlainLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure_logging(settings: Settings, *, process: str, **fields: object) -> None:
    """Send all logs of this process to stderr; the supervisor keeps the files.

    Args:
        settings: Level and form.
        process: Name of the process, a field of every line.
        fields: Further fields of every line, such as the id of the job that it works on.
    """
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_json:
        handler.setFormatter(
            _JsonLines(static_fields={"process": process, "pid": os.getpid(), **fields})
        )
    else:
        handler.setFormatter(_PlainLines(f"%(asctime)s %(levelname)s {process} %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    # The server's own requests are left as its command line says: off, for the supervisor asks
    # whether it lives every few seconds.
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("httpx").setLevel(logging.WARNING)
