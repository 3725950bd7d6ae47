"""What can go wrong with the hub."""

from app.core.enums import ErrorCode
from app.core.errors import AppError


class RepoNotFound(AppError):
    code = ErrorCode.REPO_NOT_FOUND
    status = 404


class HubUnreachable(AppError):
    code = ErrorCode.HUB_UNREACHABLE
    status = 503
    retryable = True
