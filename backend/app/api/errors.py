"""The one place where failures become answers."""

import json
import logging
import math
import re
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.api.field_messages import in_words
from app.api.page import page_response
from app.core.enums import ErrorCode
from app.core.errors import AppError, Conflict, NotFound, ServiceUnavailable, ValidationFailed
from app.core.logging import redact
from app.schemas.common import ErrorBody, ErrorEnvelope, Meta

logger = logging.getLogger(__name__)

MAX_SHOWN_ERRORS = 20
MAX_SHOWN_VALUE = 200
SECRET_FIELD = re.compile(r"token|password|secret", re.IGNORECASE)
REQUEST_PARTS = frozenset({"body", "query", "path", "header", "cookie", "form"})


class ForbiddenOrigin(AppError):
    code = ErrorCode.FORBIDDEN_ORIGIN
    status = 403


class MethodNotAllowed(AppError):
    code = ErrorCode.METHOD_NOT_ALLOWED
    status = 405


class PayloadTooLarge(AppError):
    code = ErrorCode.PAYLOAD_TOO_LARGE
    status = 413


class UnsupportedMediaType(AppError):
    code = ErrorCode.UNSUPPORTED_MEDIA_TYPE
    status = 415


class TooManyUploads(ServiceUnavailable):
    pass


class DatabaseReadOnly(ServiceUnavailable):
    pass


class DatabaseFull(ServiceUnavailable):
    code = ErrorCode.DISK_FULL


class RequestTimeout(AppError):
    code = ErrorCode.TIMEOUT
    status = 408
    retryable = True


def add_error_handlers(app: FastAPI) -> None:
    """Register the handlers of all failures that are expected."""

    def on_app_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, AppError)
        return error_response(request, error)

    def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        methods = _methods_of_fixed(request)
        if methods and request.method not in methods:  # taken for an id of the address beside it
            return _http_response(request, HTTPException(405))
        return error_response(request, validation_failed(error))

    def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _http_response(request, error)

    app.add_exception_handler(AppError, on_app_error)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    for kind in (OperationalError, InterfaceError, InternalError, PoolTimeout):
        app.add_exception_handler(kind, _on_database_trouble)
    app.add_exception_handler(DataError, _on_bad_value)
    app.add_exception_handler(IntegrityError, _on_conflict)


def error_response(
    request: Request, error: AppError, headers: Mapping[str, str] | None = None
) -> Response:
    """The envelope of a failure."""
    request_id = str(getattr(request.state, "request_id", "req_unknown"))
    body = ErrorEnvelope(
        error=ErrorBody(
            code=error.code,
            message=error.message,
            details=error.details,
            retryable=error.retryable,
            timestamp=datetime.now(UTC),
        ),
        meta=Meta.now(request_id),
    )
    sent = dict(headers or {})
    if error.retryable and error.status == 503:
        sent["Retry-After"] = "2"
    # Escaped to ASCII: a refused value may hold what UTF-8 cannot.
    text = json.dumps(body.model_dump(mode="json"), allow_nan=False)
    return Response(text, error.status, sent, media_type="application/json")


def internal_error(request: Request) -> Response:
    """What a client learns of a bug: where to look it up, and nothing else."""
    request_id = str(getattr(request.state, "request_id", "req_unknown"))
    text = f"Something went wrong on the server. The log has the particulars under {request_id}."
    return error_response(request, AppError(text))


def validation_failed(error: RequestValidationError) -> ValidationFailed:
    """FastAPI's findings as one sentence and a list of fields."""
    items = error.errors()
    found = [_field_error(item) for item in items[:MAX_SHOWN_ERRORS]]
    text = _sentence(items[0], found[0])
    more = len(items) - 1
    message = f"{text} ({more} more to mend)" if more else text
    return ValidationFailed(message, details={"errors": found})


def _sentence(item: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    if not shown["field"]:
        if item["type"] == "missing":
            return "The request needs a body in JSON."
        words, goes_on = in_words(item)
        return f"The body {words}." if goes_on else str(shown["message"])
    words, goes_on = in_words(item)
    return f"{shown['field']} {words}." if goes_on else f"{shown['field']}: {shown['message']}"


def _field_error(item: Mapping[str, Any]) -> dict[str, Any]:
    if item["type"] == "json_invalid":
        return {"field": "", "message": "The body is not valid JSON.", "value": None}
    location = [str(part) for part in item["loc"]]
    if location and location[0] in REQUEST_PARTS:
        location = location[1:]
    message, _ = in_words(item)
    return {
        "field": ".".join(location),
        "message": message[:1].upper() + message[1:],
        "value": _shown(location[-1] if location else "", item.get("input")),
    }


def _shown(field: str, value: Any) -> Any:
    """The value if it is short and plain; whole bodies and secrets are not echoed."""
    if SECRET_FIELD.search(field) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, str):
        return redact(value)[:MAX_SHOWN_VALUE]
    return value if isinstance(value, int | float | None) else None


def _http_response(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        page = page_response(request)
        if page is not None:
            return page
        return error_response(
            request, NotFound("There is nothing at this address.", details={"path": _path(request)})
        )
    headers = error.headers
    if error.status_code == 405:
        failure: AppError = MethodNotAllowed(
            f"{request.method} is not possible here.", details={"path": _path(request)}
        )
        if methods := _methods_here(request):
            headers = {**(headers or {}), "Allow": ", ".join(sorted(methods))}
    elif error.status_code == 408:
        failure = RequestTimeout(str(error.detail))
    elif error.status_code == 413:
        failure = PayloadTooLarge(str(error.detail))
    elif error.status_code < 500:
        failure = ValidationFailed(_BODY_UNREADABLE.get(str(error.detail), str(error.detail)))
        failure.status = error.status_code
    else:
        failure = ServiceUnavailable(str(error.detail))
    return error_response(request, failure, headers)


# FastAPI's words for whatever its parser stumbled over.
_BODY_UNREADABLE = {
    "There was an error parsing the body": "The body cannot be read as JSON: it is not in UTF-8, "
    "is nested too deeply, or holds a number of too many digits."
}

# SQLSTATE of a database that answers but does not take what is written.
_CANNOT_WRITE: dict[str, ServiceUnavailable] = {
    "25006": DatabaseReadOnly(
        "The database takes no changes at present (it is read-only). Reading works; ask whoever "
        "runs it."
    ),
    "53100": DatabaseFull(
        "The disk of the database is full. Reading works; delete what you no longer need, or make "
        "room on that disk."
    ),
}


def _on_database_trouble(request: Request, error: Exception) -> Response:
    state = getattr(error.orig, "pgcode", None) if isinstance(error, DBAPIError) else None
    logger.warning("database trouble", extra={"reason": type(error).__name__, "sqlstate": state})
    if state in _CANNOT_WRITE:
        return error_response(request, _CANNOT_WRITE[state])
    if isinstance(error, InternalError):
        logger.error("unhandled error", exc_info=error)
        return internal_error(request)
    text = "The database cannot be reached. Try again in a moment."
    return error_response(request, ServiceUnavailable(text))


def _on_bad_value(request: Request, error: Exception) -> Response:
    logger.info("value refused by the database", extra={"reason": str(error)})
    return error_response(request, ValidationFailed("A value is outside the range that is stored."))


def _on_conflict(request: Request, error: Exception) -> Response:
    logger.info("conflict found by the database", extra={"reason": str(error)})
    text = "Something else still refers to this, or it exists already. Reload and try again."
    return error_response(request, Conflict(text))


def _path(request: Request) -> str:
    return request.url.path[:MAX_SHOWN_VALUE]


def _methods_of_fixed(request: Request) -> frozenset[str]:
    """The methods of an address without ids in it; empty for any other."""
    path = request.url.path
    return _methods_by_path(request.app).get(path, frozenset()) if "{" not in path else frozenset()


def _methods_here(request: Request) -> Set[str]:
    """The methods of all routes at an address; the router names only those of the first."""
    return _methods_of_fixed(request) or {
        method
        for path, methods in _methods_by_path(request.app).items()
        if _pattern(path).fullmatch(request.url.path)
        for method in methods
    }


@lru_cache(maxsize=4)
def _methods_by_path(app: FastAPI) -> dict[str, frozenset[str]]:
    paths = app.openapi()["paths"].items()
    return {path: frozenset(map(str.upper, siblings)) for path, siblings in paths}


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", path))))
