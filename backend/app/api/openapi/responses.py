"""Declares every answer of every operation: what middleware may say, headers, what went well."""

from dataclasses import dataclass
from typing import Any

from app.core.enums import ErrorCode

REFERENCE = "#/components/{}/{}"
ERROR_SCHEMA = {"$ref": "#/components/schemas/ErrorEnvelope"}
EXAMPLE_TIME = "2026-01-31T12:00:00Z"
PUBLIC_PREFIX = "/api/v1/health"

HEADERS: dict[str, dict[str, Any]] = {
    "RequestId": {
        "description": "Names this request in the server's log. Send your own `X-Request-ID` "
        "(letters, digits, `_.-`) and it is taken.",
        "schema": {"type": "string"},
        "example": "req_5f1c0a9be2d84f03",
    },
    "Location": {
        "description": "Where what was made lies; for a job, where to follow it",
        "schema": {"type": "string", "format": "uri-reference"},
        "example": "/api/v1/jobs/0198a7c4-6c0e-7b0a-9d55-1f8f5a1f9a10",
    },
    "ETag": {
        "description": "Names this state of the row, for `If-Match` and `If-None-Match`",
        "schema": {"type": "string"},
        "example": '"4be3b1a2f0b54c9c8f13a8f55e0d7a31"',
    },
    "ContentRange": {
        "description": "The size of the file, as `bytes */SIZE`",
        "schema": {"type": "string"},
        "example": "bytes */4096",
    },
    "RetryAfter": {
        "description": "Seconds after which to try again",
        "schema": {"type": "integer", "minimum": 1},
        "example": 2,
    },
    "Challenge": {
        "description": "How to send the token",
        "schema": {"type": "string"},
        "example": 'Basic realm="MechInterp Studio", charset="UTF-8"',
    },
    "RateLimitLimit": {
        "description": "Requests that the bucket holds",
        "schema": {"type": "integer"},
        "example": 100,
    },
    "RateLimitRemaining": {
        "description": "Requests left in the bucket",
        "schema": {"type": "integer"},
        "example": 0,
    },
    "RateLimitReset": {
        "description": "When the bucket is full again, in Unix seconds",
        "schema": {"type": "integer"},
        "example": 1_800_000_000,
    },
}
_RATE_HEADERS = {
    "X-RateLimit-Limit": "RateLimitLimit",
    "X-RateLimit-Remaining": "RateLimitRemaining",
    "X-RateLimit-Reset": "RateLimitReset",
}
_GOOD = {
    "200": "The answer, in the envelope",
    "201": "It was made; `Location` says where it lies",
    "202": "It is queued; `Location` names what to follow",
}


@dataclass(frozen=True)
class Failure:
    """An error answer as the document shows it."""

    name: str
    code: ErrorCode
    when: str
    message: str
    retryable: bool = False
    headers: tuple[tuple[str, str], ...] = ()


_RETRY = (("Retry-After", "RetryAfter"),)
FAILURES: dict[int, Failure] = {
    400: Failure(
        "Invalid", ErrorCode.VALIDATION_ERROR,
        "A field, a query or the JSON itself cannot be taken; `details.errors` names the fields",
        "page must be at least 1.",
    ),
    401: Failure(
        "TokenNeeded", ErrorCode.UNAUTHORIZED, "The server asks for its access token",
        "This server asks for its access token (MISTUDIO_TOKEN).",
        headers=(("WWW-Authenticate", "Challenge"),),
    ),
    403: Failure(
        "ForeignOrigin", ErrorCode.FORBIDDEN_ORIGIN,
        "The address is not this server's, or another web page asks",
        "Requests from other web pages are refused.",
    ),
    404: Failure(
        "NotFound", ErrorCode.NOT_FOUND, "What the address or the body names does not exist",
        "This training does not exist (any more).",
    ),
    408: Failure(
        "TooSlow", ErrorCode.TIMEOUT, "The body stopped arriving",
        "The body did not arrive. Try again.", retryable=True,
    ),
    409: Failure(
        "Conflict", ErrorCode.CONFLICT,
        "It exists already, is in use, is not ready yet, or its state does not allow this",
        "A template of this name exists already.",
    ),
    412: Failure(
        "ChangedMeanwhile", ErrorCode.PRECONDITION_FAILED,
        "The row is not in the state that `If-Match` names",
        "It was changed meanwhile. Reload it and make your change again.",
    ),
    413: Failure(
        "TooLarge", ErrorCode.PAYLOAD_TOO_LARGE, "The body is larger than the server takes",
        "The request's body is too large.",
    ),
    415: Failure(
        "WrongMediaType", ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The body has another media type",
        "Send the body as application/json.",
    ),
    416: Failure(
        "RangeBeyondEnd", ErrorCode.VALIDATION_ERROR,
        "The file ends before the range begins; `Content-Range` has its size",
        "The file ends before the range begins; Content-Range has its size.",
        headers=(("Content-Range", "ContentRange"),),
    ),
    422: Failure(
        "KeyReused", ErrorCode.IDEMPOTENCY_KEY_REUSED,
        "The `Idempotency-Key` was used for another request",
        "This Idempotency-Key was used for another request. Take a new key.",
    ),
    429: Failure(
        "TooManyRequests", ErrorCode.RATE_LIMIT_EXCEEDED, "The client asked too often",
        "Too many requests (100 in 60 s are allowed). Try again in 1 s.", retryable=True,
        headers=(*_RETRY, *_RATE_HEADERS.items()),
    ),
    500: Failure(
        "Bug", ErrorCode.INTERNAL_ERROR, "An error of the server; its log has the particulars",
        "Something went wrong on the server. The log has the particulars under "
        "req_5f1c0a9be2d84f03.",
    ),
    503: Failure(
        "Away", ErrorCode.SERVICE_UNAVAILABLE,
        "The database is away, the disk is full, or nothing can be queued now",
        "The database cannot be reached. Try again in a moment.", retryable=True, headers=_RETRY,
    ),
    504: Failure(
        "NoAnswerInTime", ErrorCode.TIMEOUT, "The work took longer than a request may wait",
        "It took longer than 300 s. Its job goes on; look at it under Jobs.", retryable=True,
    ),
    507: Failure(
        "DiskTooSmall", ErrorCode.DISK_FULL,
        "What it would write does not fit on the disk; `details` has the numbers",
        "It needs 12.4 GB on the disk; 7.6 GB are free. Delete what you no longer need.",
    ),
}  # fmt: skip


def declare_responses(components: dict[str, Any]) -> None:
    """Each failure once, for all operations to refer to."""
    components["headers"] = HEADERS
    components["responses"] = {failure.name: _declared(failure) for failure in FAILURES.values()}


def add_responses(
    path: str, method: str, operation: dict[str, Any], siblings: dict[str, Any]
) -> None:
    """Let an operation name every status it may answer, each with its headers."""
    given = operation["responses"]
    if "HTTPValidationError" in str(given.get("422")):  # FastAPI's own is never answered
        del given["422"]
    has_body = "requestBody" in operation
    is_versioned = any(_takes(other, "if-match") for other in siblings.values())
    statuses = {int(status) for status in given if int(status) >= 400}
    statuses |= _always(path) | ({408} if has_body else set())
    statuses |= {409, 422} if _takes(operation, "idempotency-key") else set()
    good = {status: answer for status, answer in given.items() if int(status) < 400}
    for status, answer in good.items():
        if answer["description"] == "Successful Response":
            answer["description"] = _GOOD[status]
        answer["headers"] = _references(_headers_of(status, method, is_versioned))
    operation["responses"] = good | {
        str(status): {"$ref": REFERENCE.format("responses", FAILURES[status].name)}
        for status in sorted(statuses)
    }


def _always(path: str) -> set[int]:
    """What stands before every endpoint may answer; health is neither limited nor closed.

    A body is looked at before anybody knows whether one belongs there.
    """
    statuses = {400, 403, 413, 415, 500}
    if not path.startswith(PUBLIC_PREFIX):
        statuses |= {401, 429, 503}
    elif path == PUBLIC_PREFIX:
        statuses |= {401}
    return statuses


def _headers_of(status: str, method: str, is_versioned: bool) -> dict[str, str]:
    named = {"X-Request-ID": "RequestId"}
    if status in {"201", "202"}:
        named["Location"] = "Location"
    if status == "200" and is_versioned and method != "delete":
        named["ETag"] = "ETag"
    return named


def _references(named: dict[str, str] | tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return {
        header: {"$ref": REFERENCE.format("headers", name)} for header, name in dict(named).items()
    }


def _takes(operation: dict[str, Any], header: str) -> bool:
    return any(
        parameter["in"] == "header" and parameter["name"].lower() == header
        for parameter in operation.get("parameters", ())
    )


def _declared(failure: Failure) -> dict[str, Any]:
    error: dict[str, Any] = {
        "code": failure.code.value,
        "message": failure.message,
        "details": {},
        "retryable": failure.retryable,
        "timestamp": EXAMPLE_TIME,
    }
    meta = {"timestamp": EXAMPLE_TIME, "request_id": HEADERS["RequestId"]["example"]}
    headers = {"X-Request-ID": "RequestId"} | dict(failure.headers)
    return {
        "description": failure.when,
        "headers": _references(headers),
        "content": {
            "application/json": {
                "schema": ERROR_SCHEMA,
                "example": {"error": error, "meta": meta},
            }
        },
    }
