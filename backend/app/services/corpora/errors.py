"""What can be wrong with a corpus."""

from app.core.enums import ErrorCode
from app.core.errors import AppError, ValidationFailed


class PathNotReadable(ValidationFailed):
    """The path is missing, is no regular file or folder, or may not be read."""


class DatasetEmpty(AppError):
    code = ErrorCode.DATASET_EMPTY
    status = 400


class DatasetFormatInvalid(AppError):
    code = ErrorCode.DATASET_FORMAT_INVALID
    status = 400


class CorpusMissing(AppError):
    code = ErrorCode.STORE_INVALID
    status = 409
