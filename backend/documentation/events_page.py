"""The page of errors and live updates: codes with their statuses, events with their rooms."""

import importlib
import pkgutil

import app.api
import app.services
from app.core.enums import ErrorCode
from app.core.errors import AppError
from app.schemas.events import EVENTS
from documentation.markdown import code, docstring_line, page, table

ERRORS = """
A failed request and a failed job carry the same codes; [API and events](api.md) describes the
envelope. "Status" is that of the answer; a code without one is told by jobs only. "Try again": the
answer's `retryable` is true, always or in some cases.
"""
LIVE = """
Socket.IO at `/ws/socket.io`. Emit `subscribe` with `{"room": "jobs"}`; the answer is
`{"ok": true}`. An event is a hint with absolute values: drop one whose `seq` is not greater than
the last you applied for that job, and read again over REST after a lost connection.

The tokens of a steered text can be asked for again: subscribe with
`{"room": "job:ID", "after": 41}`, where 41 is the last `index` you have (-1: none). The events
behind it come first, each once and in order, then the live ones; the answer's `sent` counts the
former, null while Redis is away. They are kept for 15 minutes.
"""


SERVER = (app.api, app.services)


def load_errors() -> None:
    """Import what can raise, so that the list of errors does not depend on who asked before."""
    for package in SERVER:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def subclasses(cls: type[AppError]) -> list[type[AppError]]:
    return [it for child in cls.__subclasses__() for it in (child, *subclasses(child))]


def error_rows() -> list[list[str]]:
    load_errors()
    known = ("app.core.", *(f"{package.__name__}." for package in SERVER))
    kinds = [AppError]
    kinds += [it for it in subclasses(AppError) if it.__module__.startswith(known)]
    rows = []
    for name in ErrorCode:
        matching = [it for it in kinds if it.code is name]
        statuses = sorted({str(it.status) for it in matching})
        again = {it.retryable for it in matching}
        word = {(True,): "always", (False, True): "in some cases"}.get(tuple(sorted(again)), "")
        rows.append([code(name.value), ", ".join(statuses), word])
    return rows


def event_rows() -> list[list[str]]:
    return [
        [code(it.name), ", ".join(f"`{room}`" for room in it.heard_in), docstring_line(it)]
        for it in EVENTS
    ]


def events_page() -> str:
    return page(
        "Errors and live updates",
        "## Errors",
        ERRORS,
        table(("code", "status", "try again"), error_rows()),
        "## Live updates",
        LIVE,
        table(("event", "rooms", "says"), event_rows()),
    )
