"""Runs one attempt of a job: claim, device, child, heartbeat, requests, ending.

The supervising task does no work itself, so it stays responsive and survives whatever happens to
the child. The child dies with it.
"""

import logging
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import ErrorCode, JobAction, JobState
from app.db.session import session_scope
from app.services import counters
from app.services.counters import Count
from app.services.job_lifecycle import StaleAttempt
from app.services.job_log import log_path
from app.services.reconciliation import clear_after, condemn_damaged
from app.workers import shutdown
from app.workers.child_process import ChildProcess
from app.workers.database import AWAY, retry_while_away
from app.workers.device_wait import device_for
from app.workers.ending import record_outcome
from app.workers.identity import current_process
from app.workers.lease import Lease
from app.workers.outcome import Failure, Outcome
from app.workers.pressure import PressureGauge, with_numbers
from app.workers.runner import Runner

logger = logging.getLogger(__name__)


def run_job(settings: Settings, job_id: UUID, attempt: int) -> None:
    """Run an attempt to its end; a duplicate delivery returns at once."""
    lease = Lease(settings, job_id, attempt, str(current_process()))
    job = retry_while_away(lease.reserve, give_up=shutdown.requested)
    if job is None:
        counters.add(Count.DUPLICATE_DELIVERIES)
        logger.info("duplicate delivery", extra={"job_id": str(job_id), "attempt": attempt})
        return
    with device_for(settings, job, lease) as device:
        if device.was_refused or not retry_while_away(lease.claim, give_up=shutdown.requested):
            return
        log = log_path(settings, job_id)
        child = ChildProcess(settings, job, attempt, log, device.descriptor)
        gauge = PressureGauge(settings, job.kind, device.name)
        try:
            watch(settings, child, lease, gauge)
        finally:
            child.close()
        finish(settings, child, lease, gauge.found)


def watch(
    settings: Settings, runner: Runner, lease: Lease, gauge: PressureGauge | None = None
) -> None:
    """Keep the lease alive, carry requests and watch the machine until the attempt has ended."""
    grace = settings.stop_grace.total_seconds()
    poll = settings.request_poll_interval.total_seconds()
    while not runner.wait(poll):
        if shutdown.requested():
            runner.ask(runner.shutdown_action, grace, by_shutdown=True)
        if gauge is not None and gauge.look() is not None:
            runner.ask(JobAction.PAUSE, grace)
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
            runner.ask(requested, _grace(settings, requested))
        if runner.is_overdue():
            logger.warning("a request was ignored", extra={"job_id": str(lease.job_id)})
            runner.kill()


def _grace(settings: Settings, action: JobAction) -> float:
    """A cancelled job has nothing to save, so it must not keep the device for long."""
    grace = settings.cancel_grace if action is JobAction.CANCEL else settings.stop_grace
    return min(grace, settings.stop_grace).total_seconds()


def finish(
    settings: Settings, runner: Runner, lease: Lease, pressure: Failure | None = None
) -> None:
    """Record how the attempt ended, however long the database is away."""
    outcome = runner.outcome()
    if outcome.failure is not None:
        if signal := outcome.failure.details.get("signal"):
            counters.add(Count.CHILDREN_KILLED, label=str(signal))
        outcome = replace(outcome, failure=with_numbers(settings, outcome.failure))
    killed_for = runner.asked if runner.was_killed else None

    def record() -> None:
        with session_scope() as session:
            judged = _with_damage(session, settings, lease.job_id, outcome)
            job = record_outcome(session, lease.job_id, lease.attempt, judged, killed_for, pressure)
            if job.state.is_terminal and job.state is not JobState.SUCCEEDED:
                clear_after(session, settings, job)
        if judged.failure is not None and judged.failure.code is ErrorCode.DISK_FULL:
            counters.add(Count.WRITE_ERRORS, label=job.kind)

    try:
        retry_while_away(record, give_up=shutdown.requested)
    except StaleAttempt:
        logger.warning("late outcome dropped", extra={"job_id": str(lease.job_id)})


def _with_damage(session: Session, settings: Settings, job_id: UUID, outcome: Outcome) -> Outcome:
    """A job that died of a damaged file does so again: it fails, and the file is put away."""
    failure = outcome.failure
    if failure is None or failure.code is not ErrorCode.STORE_INVALID:
        return outcome
    damage = condemn_damaged(session, settings, job_id)
    if damage is None:
        return outcome
    text = (
        f"What the job read is damaged ({damage.problem}). The file lies in lost+found now and its "
        f"store is marked; {damage.remedy}."
    )
    details = failure.details | {"damaged": damage.problem}
    failure = replace(failure, message=text, details=details)
    return replace(outcome, state="failed", failure=failure)
