"""Names that the database, the API, the workers and the page share."""

from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands; changed only by ``services.job_lifecycle.transition``."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL_JOB_STATES

    @property
    def is_active(self) -> bool:
        return self in ACTIVE_JOB_STATES


TERMINAL_JOB_STATES = frozenset(
    {JobState.STOPPED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}
)
ACTIVE_JOB_STATES = frozenset({JobState.STARTING, JobState.RUNNING})


class JobAction(StrEnum):
    """What a user may ask of a job that has not ended."""

    PAUSE = "pause"
    STOP = "stop"
    CANCEL = "cancel"


class JobKind(StrEnum):
    DATASET_DOWNLOAD = "dataset_download"
    DATASET_IMPORT = "dataset_import"
    DATASET_TOKENIZE = "dataset_tokenize"
    DATASET_DELETE = "dataset_delete"
    MODEL_DOWNLOAD = "model_download"
    MODEL_IMPORT = "model_import"
    MODEL_DELETE = "model_delete"
    ACTIVATION_EXTRACT = "activation_extract"
    ACTIVATION_DELETE = "activation_delete"
    TRAINING_RUN = "training_run"
    TRAINING_GRID = "training_grid"
    TRAINING_EVALUATE = "training_evaluate"
    TRAINING_DELETE = "training_delete"
    SAE_IMPORT = "sae_import"
    SAE_CHECK = "sae_check"
    FEATURE_EXTRACT = "feature_extract"
    FEATURE_IMPORT = "feature_import"
    FEATURE_SCORE = "feature_score"
    FEATURE_EXPORT = "feature_export"
    FEATURE_LABEL = "feature_label"
    FEATURE_AUDIT = "feature_audit"
    FEATURE_PROBE = "feature_probe"
    FEATURE_ABLATE = "feature_ablate"
    STEERING_GENERATE = "steering_generate"
    STEERING_SWEEP = "steering_sweep"


TRAINING_RUNS = frozenset({JobKind.TRAINING_RUN, JobKind.TRAINING_GRID})
"""What trains: one dictionary, or several in one pass."""


class ResourceType(StrEnum):
    DATASET = "dataset"
    TOKENIZATION = "tokenization"
    MODEL = "model"
    ACTIVATION = "activation"
    TRAINING = "training"


class DatasetSource(StrEnum):
    HUGGING_FACE = "HuggingFace"
    LOCAL = "Local"
    CUSTOM = "Custom"


class DatasetStatus(StrEnum):
    DOWNLOADING = "downloading"
    INGESTING = "ingesting"
    READY = "ready"
    ERROR = "error"


class TokenizationStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    ERROR = "error"


class ModelStatus(StrEnum):
    DOWNLOADING = "downloading"
    LOADING = "loading"
    READY = "ready"
    ERROR = "error"


class ActivationStatus(StrEnum):
    QUEUED = "queued"
    EXTRACTING = "extracting"
    READY = "ready"
    ERROR = "error"


class TrainingStatus(StrEnum):
    INITIALIZING = "initializing"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPED = "stopped"
    COMPLETED = "completed"
    ERROR = "error"

    @property
    def is_under_way(self) -> bool:
        return self in {TrainingStatus.INITIALIZING, TrainingStatus.TRAINING}


class Quantization(StrEnum):
    FP32 = "FP32"
    FP16 = "FP16"
    Q8 = "Q8"
    Q4 = "Q4"
    Q2 = "Q2"


class EncoderType(StrEnum):
    SPARSE = "sparse"
    SKIP = "skip"
    TRANSCODER = "transcoder"


class SaeSource(StrEnum):
    """Where a dictionary comes from."""

    TRAINED = "trained"
    IMPORTED = "imported"


class ErrorCode(StrEnum):
    """Stable codes of the error envelope and of failed jobs."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    NOT_READY = "NOT_READY"
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN_ORIGIN = "FORBIDDEN_ORIGIN"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    REPO_NOT_FOUND = "REPO_NOT_FOUND"
    HUB_UNREACHABLE = "HUB_UNREACHABLE"
    DATASET_EMPTY = "DATASET_EMPTY"
    DATASET_FORMAT_INVALID = "DATASET_FORMAT_INVALID"
    MODEL_FORMAT_INVALID = "MODEL_FORMAT_INVALID"
    HOOK_POINT_NOT_FOUND = "HOOK_POINT_NOT_FOUND"
    CHECKPOINT_INVALID = "CHECKPOINT_INVALID"
    SAE_FORMAT_INVALID = "SAE_FORMAT_INVALID"
    PARITY_FAILED = "PARITY_FAILED"
    EXPORT_UNSUPPORTED = "EXPORT_UNSUPPORTED"
    STORE_INVALID = "STORE_INVALID"
    TRAINING_DIVERGED = "TRAINING_DIVERGED"
    GPU_OOM = "GPU_OOM"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    GPU_BUSY = "GPU_BUSY"
    DEVICE_LOST = "DEVICE_LOST"
    DISK_FULL = "DISK_FULL"
    WORKER_LOST = "WORKER_LOST"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    VERSION_MISMATCH = "VERSION_MISMATCH"
    TIMEOUT = "TIMEOUT"
    INTERNAL_ERROR = "INTERNAL_ERROR"
