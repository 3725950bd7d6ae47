"""Structured logs: one JSON object per line on stderr, secrets blanked."""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from app.core.config import Settings

# Hugging Face tokens, bearer headers, and passwords inside addresses.
_SECRETS = re.compile(r"hf_[A-Za-z0-9]{8,}|(?<=[Bb]earer )\S+|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)")
BLANK = "***"


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

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _PlainLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure_logging(settings: Settings, *, process: str) -> None:
    """Send all logs of this process to stderr; the supervisor keeps the files.

    Args:
        settings: Level and form.
        process: Name of the process, a field of every line.
    """
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_json:
        handler.setFormatter(_JsonLines(static_fields={"process": process}))
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
