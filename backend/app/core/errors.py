"""The one error type that crosses layers; domain errors subclass it beside their service."""

from typing import Any

from app.core.enums import ErrorCode


class AppError(Exception):
    """A failure that a person can act on.

    Args:
        message: One sentence for the person at the page: what is wrong and what to do.
        details: Machine-readable particulars (field, value, constraints, ids).
    """

    code: ErrorCode = ErrorCode.INTERNAL_ERROR
    status: int = 500
    retryable: bool = False

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}


class ValidationFailed(AppError):
    code = ErrorCode.VALIDATION_ERROR
    status = 400


class NotFound(AppError):
    code = ErrorCode.NOT_FOUND
    status = 404


class Conflict(AppError):
    code = ErrorCode.CONFLICT
    status = 409


class NotReady(AppError):
    """The resource exists but cannot serve yet (still importing, failed, …)."""

    code = ErrorCode.NOT_READY
    status = 409
    retryable = True


class IllegalTransition(AppError):
    code = ErrorCode.ILLEGAL_TRANSITION
    status = 409


class ServiceUnavailable(AppError):
    code = ErrorCode.SERVICE_UNAVAILABLE
    status = 503
    retryable = True
