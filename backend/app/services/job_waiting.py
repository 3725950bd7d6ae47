"""Waiting for a job whose answer one request carries: steering, probes, the proof of an export."""

import time
from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import ErrorCode, JobAction, JobState
from app.core.errors import AppError
from app.db.models import Job
from app.db.repositories import jobs
from app.services import job_service

POLL_SECONDS = 0.05
_STATUS_OF_CODE = {
    ErrorCode.VALIDATION_ERROR: 400,
    ErrorCode.HOOK_POINT_NOT_FOUND: 400,
    ErrorCode.CHECKPOINT_INVALID: 409,
    ErrorCode.GPU_OOM: 503,
    ErrorCode.OUT_OF_MEMORY: 503,
    ErrorCode.WORKER_LOST: 503,
}


class JobTimedOut(AppError):
    code = ErrorCode.TIMEOUT
    status = 504
    retryable = True


class JobCancelled(AppError):
    """Somebody cancelled the job, or whoever asked has gone."""

    code = ErrorCode.CONFLICT
    status = 409


class JobFailed(AppError):
    """The generation failed in its process; code and sentence are those of the job."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.error_message or "The generation failed.", details=job.error_details)
        self.code = ErrorCode(job.error_code or ErrorCode.INTERNAL_ERROR)
        self.status = _STATUS_OF_CODE.get(self.code, 500)
        self.retryable = self.status == 503


def wait_for_job(
    session: Session,
    job_id: UUID,
    timeout_seconds: float,
    is_abandoned: Callable[[], bool],
    *,
    spares_running: bool = False,
) -> Job:
    """Wait for the job's end; between two looks no transaction is open.

    Args:
        session: Open session; committed several times.
        job_id: The job.
        timeout_seconds: How long to wait.
        is_abandoned: Whether whoever asked has gone.
        spares_running: Cancel the job only while it is queued when nobody waits any more: what it
            loads is of use to the next one.

    Raises:
        JobFailed: The job failed.
        JobTimedOut: It took too long.
        JobCancelled: It was cancelled, or nobody waits any more.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        job = job_service.get_job(session, job_id)
        session.commit()
        if job.state is JobState.SUCCEEDED or (job.state.is_terminal and job.result):
            return job  # a cancelled one with the text so far
        if job.state is JobState.FAILED:
            raise JobFailed(job)
        if job.state.is_terminal:
            raise JobCancelled("The generation was cancelled.", details=_ids(job))
        is_late = time.monotonic() > deadline
        if is_late or is_abandoned():
            error = _too_late(job) if is_late else JobCancelled("Nobody waits for the text.")
            _cancel(session, job_id, spares_running=spares_running)
            raise error
        time.sleep(POLL_SECONDS)


def _cancel(session: Session, job_id: UUID, *, spares_running: bool) -> None:
    job = jobs.get(session, job_id, lock=True)
    is_spared = spares_running and job is not None and job.state is not JobState.QUEUED
    if job is not None and not job.state.is_terminal and not is_spared:
        job_service.request(session, job_id, JobAction.CANCEL)
    session.commit()


def _too_late(job: Job) -> JobTimedOut:
    waiting = job.state is JobState.QUEUED
    return JobTimedOut(
        "No steering worker took the request in time. See whether the workers run (mistudio "
        "status)."
        if waiting
        else "The generation took too long. Ask for fewer tokens.",
        details=_ids(job),
    )


def _ids(job: Job) -> dict[str, str]:
    return {"job_id": str(job.id), "state": job.state}
