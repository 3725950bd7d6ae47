"""Queues, which kind of job goes where, and the Celery settings that sender and workers share.

Every setting answers a known failure of Celery on Redis; the row in ``jobs`` is the truth and a
message only a wake-up, so messages may be lost or doubled without harm.
"""

from typing import Any, Final

from app.core.config import Settings
from app.core.enums import JobKind

TRAINING: Final = "training"
EXTRACTION: Final = "extraction"
ANALYSIS: Final = "analysis"
DOWNLOADS: Final = "downloads"
STEERING: Final = "steering"

# Slots per queue: separate queues instead of priorities, because on Redis 0 is the highest.
QUEUE_SLOTS: Final[dict[str, int]] = {
    TRAINING: 1,
    EXTRACTION: 1,
    ANALYSIS: 2,
    DOWNLOADS: 2,
    STEERING: 1,
}

QUEUE_OF_KIND: Final[dict[JobKind, str]] = {
    JobKind.TRAINING_RUN: TRAINING,
    JobKind.TRAINING_GRID: TRAINING,
    JobKind.ACTIVATION_EXTRACT: EXTRACTION,
    JobKind.FEATURE_EXTRACT: ANALYSIS,
    JobKind.FEATURE_SCORE: ANALYSIS,
    JobKind.TRAINING_EVALUATE: ANALYSIS,
    # In a child of its own: the warm process stays free for whoever waits at the page.
    JobKind.STEERING_SWEEP: ANALYSIS,
    JobKind.DATASET_TOKENIZE: ANALYSIS,
    JobKind.DATASET_DELETE: ANALYSIS,
    JobKind.MODEL_DELETE: ANALYSIS,
    JobKind.ACTIVATION_DELETE: ANALYSIS,
    JobKind.TRAINING_DELETE: ANALYSIS,
    JobKind.DATASET_DOWNLOAD: DOWNLOADS,
    JobKind.DATASET_IMPORT: DOWNLOADS,
    JobKind.MODEL_DOWNLOAD: DOWNLOADS,
    JobKind.MODEL_IMPORT: DOWNLOADS,
    JobKind.SAE_IMPORT: DOWNLOADS,
    JobKind.SAE_CHECK: DOWNLOADS,
    JobKind.FEATURE_IMPORT: DOWNLOADS,
    JobKind.FEATURE_EXPORT: DOWNLOADS,
    JobKind.FEATURE_LABEL: ANALYSIS,
    JobKind.FEATURE_AUDIT: ANALYSIS,
    JobKind.STEERING_GENERATE: STEERING,
    JobKind.FEATURE_PROBE: STEERING,
    JobKind.FEATURE_ABLATE: STEERING,
}

# Somebody sits at the page and waits for these: other jobs pause between steps meanwhile.
GOING_FIRST: Final = frozenset({JobKind.STEERING_GENERATE, JobKind.FEATURE_PROBE})

# Kinds that need the accelerator for themselves. Steering shares it: it must answer at once.
DEVICE_KINDS: Final = frozenset(
    {
        JobKind.TRAINING_RUN,
        JobKind.TRAINING_GRID,
        JobKind.TRAINING_EVALUATE,
        JobKind.ACTIVATION_EXTRACT,
        JobKind.FEATURE_EXTRACT,
        JobKind.FEATURE_SCORE,
    }
)

RUN_TASK: Final = "jobs.run"
KEY_PREFIX: Final = "mistudio."
UNACKED_KEY: Final = "unacked"


def task_id(job_id: object, attempt: int) -> str:
    """Id of the message of one attempt; the sweeper looks for it in the broker."""
    return f"{job_id}:{attempt}"


def celery_config(settings: Settings) -> dict[str, Any]:
    """Settings of the Celery application, for the sender in the API and for the workers."""
    return {
        "broker_url": settings.require_redis_url(),
        "result_backend": None,
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        # Early acknowledgement: a late one is redelivered after the visibility timeout although
        # the worker is healthy. A lost message is found by the sweeper instead.
        "task_acks_late": False,
        "task_reject_on_worker_lost": False,
        "task_create_missing_queues": True,
        "task_default_queue": ANALYSIS,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_send_task_events": False,
        # Its subscription is the one read that waits without end: when the broker dies at the wrong
        # moment the client connects again by itself and blocks the worker there, which then takes
        # no job (seen in a soak). Nothing here asks workers by broadcast.
        "worker_enable_remote_control": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_limit": 2,
        "task_publish_retry": False,
        "broker_transport_options": {
            "global_keyprefix": KEY_PREFIX,
            "visibility_timeout": 3600,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "retry_on_timeout": True,
            "health_check_interval": 25,
        },
    }
