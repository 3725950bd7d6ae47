"""Runs one attempt of a job: claim, device, child, heartbeat, requests, ending.

The supervising task does no work itself, so it stays responsive and survives whatever happens to
the child. The child dies with it.
"""

import logging
from uuid import UUID

from app.core.config import Settings
from app.db.session import session_scope
from app.services.job_lifecycle import StaleAttempt
from app.workers import shutdown
from app.workers.child import log_path
from app.workers.child_process import ChildProcess
from app.workers.database import AWAY, retry_while_away
from app.workers.device_wait import device_for
from app.workers.ending import record_outcome
from app.workers.identity import current_process
from app.workers.lease import Lease
from app.workers.runner import Runner

logger = logging.getLogger(__name__)


def run_job(settings: Settings, job_id: UUID, attempt: int) -> None:
    """Run an attempt to its end; a duplicate delivery returns at once."""
    lease = Lease(settings, job_id, attempt, str(current_process()))
    job = retry_while_away(lease.reserve, give_up=shutdown.requested)
    if job is None:
        logger.info("duplicate delivery", extra={"job_id": str(job_id), "attempt": attempt})
        return
    with device_for(settings, job, lease) as device:
        if device.was_refused or not retry_while_away(lease.claim, give_up=shutdown.requested):
            return
        log = log_path(settings, job_id)
        child = ChildProcess(settings, job_id, attempt, log, device.descriptor)
        try:
            watch(settings, child, lease)
        finally:
            child.close()
        finish(child, lease)


def watch(settings: Settings, runner: Runner, lease: Lease) -> None:
    """Keep the lease alive and carry requests until the attempt has ended."""
    grace = settings.stop_grace.total_seconds()
    poll = settings.request_poll_interval.total_seconds()
    while not runner.wait(poll):
        if shutdown.requested():
            runner.ask(runner.shutdown_action, grace, by_shutdown=True)
        try:
            requested = lease.check()
        except AWAY as error:
            lease.note_away(error)
            requested = None
        except StaleAttempt:
            logger.warning("attempt was taken over", extra={"job_id": str(lease.job_id)})
            runner.kill()
            return
        if requested is not None:
            runner.ask(requested, grace)
        if runner.is_overdue():
            logger.warning("a request was ignored", extra={"job_id": str(lease.job_id)})
            runner.kill()


def finish(runner: Runner, lease: Lease) -> None:
    """Record how the attempt ended, however long the database is away."""
    outcome = runner.outcome()
    killed_for = runner.asked if runner.was_killed else None

    def record() -> None:
        with session_scope() as session:
            record_outcome(session, lease.job_id, lease.attempt, outcome, killed_for)

    try:
        retry_while_away(record, give_up=shutdown.requested)
    except StaleAttempt:
        logger.warning("late outcome dropped", extra={"job_id": str(lease.job_id)})
