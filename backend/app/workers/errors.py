"""Turns what a task raised into a stored code and a sentence that helps."""

import errno
import logging

from app.core.enums import ErrorCode
from app.core.errors import AppError
from app.workers.database import is_away
from app.workers.outcome import Failure, Outcome

logger = logging.getLogger(__name__)

# By class name, because this runs in workers that must not load app.ml. The first match along the
# class's ancestors counts; the core's own messages are sentences for the person at the page.
_BY_NAME: dict[str, ErrorCode] = {
    "CorpusEmpty": ErrorCode.DATASET_EMPTY,
    "HookPointNotFound": ErrorCode.HOOK_POINT_NOT_FOUND,
    "ModelFormatError": ErrorCode.MODEL_FORMAT_INVALID,
    "StoreInvalid": ErrorCode.STORE_INVALID,
    "InvalidActivations": ErrorCode.STORE_INVALID,
    "CheckpointInvalid": ErrorCode.CHECKPOINT_INVALID,
    "CheckpointMismatch": ErrorCode.CHECKPOINT_INVALID,
    "TrainingDiverged": ErrorCode.TRAINING_DIVERGED,
    "ConfigInvalid": ErrorCode.VALIDATION_ERROR,
    "SaeFormatError": ErrorCode.SAE_FORMAT_INVALID,
    "ParityFailed": ErrorCode.PARITY_FAILED,
    "ExportUnsupported": ErrorCode.EXPORT_UNSUPPORTED,
    "SteeringInvalid": ErrorCode.VALIDATION_ERROR,
    "TextInvalid": ErrorCode.VALIDATION_ERROR,
}
GPU_OOM_TEXT = (
    "The GPU ran out of memory. Choose a smaller batch size or model, or close other programs "
    "that use the GPU."
)
OOM_TEXT = (
    "This machine ran out of memory. Choose a smaller batch size, model or number of latents, or "
    "close other programs."
)
DISK_TEXT = "The disk is full. Free some space and start the job again."
DEVICE_TEXT = "The GPU no longer answers. Restart the machine or its driver."
_LOST_DEVICE = ("unspecified launch failure", "GPU is lost", "uncorrectable ECC")
TRUNCATED_TEXT = (
    "A file was cut while the job read it. If it fails again, `mistudio doctor --repair` finds out "
    "which."
)
INTERNAL_TEXT = "Something went wrong inside the job. The job's log has the particulars."


def outcome_of(error: BaseException) -> Outcome:
    """Outcome of a task that raised.

    A database that went away in the middle of a unit of work is no fault of the job: it is
    ``interrupted`` and runs again.
    """
    if is_away(error):
        failure = Failure(ErrorCode.SERVICE_UNAVAILABLE, "The database went away during the job.")
        return Outcome("interrupted", failure=failure)
    return Outcome("failed", failure=failure_of(error))


def failure_of(error: BaseException) -> Failure:
    """Code, sentence and particulars of an exception."""
    if isinstance(error, AppError):
        return Failure.of(error)
    names = [cls.__name__ for cls in type(error).__mro__]
    if "OutOfMemoryError" in names:  # torch's own is about the accelerator
        return Failure(ErrorCode.GPU_OOM, GPU_OOM_TEXT)
    if "OutOfMemory" in names:
        return Failure(_memory_code(error), str(error) or OOM_TEXT)
    if isinstance(error, MemoryError):
        return Failure(ErrorCode.OUT_OF_MEMORY, OOM_TEXT)
    if _is_disk_full(error):
        needed = getattr(error, "needed_bytes", None)
        return Failure(
            ErrorCode.DISK_FULL, DISK_TEXT, {} if needed is None else {"needed_bytes": needed}
        )
    if _is_device_lost(error):
        return Failure(ErrorCode.DEVICE_LOST, DEVICE_TEXT)
    for name in names:
        if name in _BY_NAME:
            return Failure(_BY_NAME[name], str(error))
    return Failure(ErrorCode.INTERNAL_ERROR, INTERNAL_TEXT, {"exception": type(error).__name__})


def _is_disk_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    # safetensors raises an error of its own, with the system's number in its text.
    return type(error).__name__ == "SafetensorError" and f"os error {errno.ENOSPC}" in str(error)


def _is_device_lost(error: BaseException) -> bool:
    """Whether CUDA itself gave up (not its allocator): every later call of this process fails."""
    is_cuda = isinstance(error, RuntimeError) and "CUDA error" in str(error)
    return is_cuda and any(text in str(error) for text in _LOST_DEVICE)


def _memory_code(error: BaseException) -> ErrorCode:
    on_gpu = str(getattr(error, "device", "")).startswith("cuda")
    return ErrorCode.GPU_OOM if on_gpu else ErrorCode.OUT_OF_MEMORY
