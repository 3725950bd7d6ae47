"""The Celery application of the workers: one task that supervises one attempt of one job."""

import logging
from typing import Any
from uuid import UUID

from celery import Celery, signals

from app.core.config import get_settings
from app.core.logging import configure_logging
from app.db.session import reset_engine
from app.services import counters
from app.services.shared_redis import reset_shared_redis
from app.websocket.publisher import reset_publisher
from app.workers import recovery, sender, shutdown, steering_host, version_check
from app.workers.database import retry_while_away
from app.workers.lifeline import die_with_parent
from app.workers.queues import RUN_TASK, STEERING, celery_config
from app.workers.supervise import run_job

logger = logging.getLogger(__name__)

app = Celery("mistudio")
app.conf.update(celery_config(get_settings()))


@app.task(name=RUN_TASK, bind=True)
def run(task: Any, job_id: str, attempt: int) -> None:
    """Run one attempt; everything it needs stands in the job's row."""
    settings = get_settings()
    if not version_check.may_run(UUID(job_id), attempt):
        return
    queue = task.request.delivery_info.get("routing_key")
    if queue == STEERING:
        steering_host.run_job(settings, UUID(job_id), attempt)
    else:
        run_job(settings, UUID(job_id), attempt)


@signals.setup_logging.connect
def _set_up_logging(**_: Any) -> None:
    configure_logging(get_settings(), process="worker")


@signals.worker_init.connect
def _before_fork(**_: Any) -> None:
    shutdown.prepare()


@signals.worker_process_init.connect
def _after_fork(**_: Any) -> None:
    """Connections belong to the parent; a pool process must not outlive it either."""
    die_with_parent(shutdown.worker_pid())
    shutdown.enter_pool_process()
    reset_engine(close=False)
    reset_publisher()
    sender.reset_client()
    reset_shared_redis()
    counters.forget_waiting()


@signals.worker_shutting_down.connect
def _on_shutdown(**_: Any) -> None:
    shutdown.announce()


@signals.worker_ready.connect
def _on_ready(sender: Any, **_: Any) -> None:
    """Go on with what the last shutdown of a worker of these queues paused."""
    queues = set(sender.app.amqp.queues.consume_from)
    retry_while_away(lambda: recovery.resume_after_shutdown(queues), give_up=shutdown.requested)
    reset_engine()
