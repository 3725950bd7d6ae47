"""Steered generation: a job in the warm process, waited for."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import ErrorCode, JobAction, JobKind, JobState
from app.core.errors import AppError, Conflict, NotReady
from app.db.models import Job
from app.db.repositories import jobs
from app.schemas.steering import SteeringGenerate, SteeringResult
from app.services import job_service
from app.services.lookup import require_ready_model
from app.services.steering_payload import make_payload

POLL_SECONDS = 0.05
_STATUS_OF_CODE = {
    ErrorCode.VALIDATION_ERROR: 400,
    ErrorCode.HOOK_POINT_NOT_FOUND: 400,
    ErrorCode.CHECKPOINT_INVALID: 409,
    ErrorCode.GPU_OOM: 503,
    ErrorCode.OUT_OF_MEMORY: 503,
    ErrorCode.WORKER_LOST: 503,
}


class SteeringTimedOut(AppError):
    code = ErrorCode.TIMEOUT
    status = 504
    retryable = True


class SteeringCancelled(AppError):
    """Somebody cancelled the job, or whoever asked has gone."""

    code = ErrorCode.CONFLICT
    status = 409


class RunExists(Conflict):
    pass


class SteeringFailed(AppError):
    """The generation failed in its process; code and sentence are those of the job."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.error_message or "The generation failed.", details=job.error_details)
        self.code = ErrorCode(job.error_code or ErrorCode.INTERNAL_ERROR)
        self.status = _STATUS_OF_CODE.get(self.code, 500)
        self.retryable = self.status == 503


def generate(
    session: Session,
    settings: Settings,
    request: SteeringGenerate,
    is_abandoned: Callable[[], bool],
) -> SteeringResult:
    """Generate with and without steering, and wait for both texts.

    The job is committed at once, so that the warm process can see it.

    Args:
        session: Open session; committed several times.
        settings: How long to wait.
        request: What to generate.
        is_abandoned: Whether whoever asked has gone; the job is cancelled then.

    Raises:
        AppError: What ``make_payload`` refuses.
        SteeringFailed: The generation failed.
        SteeringTimedOut: It took too long and was cancelled.
        SteeringCancelled: It was cancelled before the first token.
        RunExists: The id that was chosen is taken.
    """
    if request.run_id is not None and jobs.get(session, request.run_id) is not None:
        raise RunExists(
            "There is a run with this id already; choose a new one for every run.",
            details={"run_id": str(request.run_id)},
        )
    payload = make_payload(session, request)
    return run_payload(session, settings, payload, is_abandoned, job_id=request.run_id)


def run_payload(
    session: Session,
    settings: Settings,
    payload: dict[str, Any],
    is_abandoned: Callable[[], bool],
    *,
    job_id: UUID | None = None,
) -> SteeringResult:
    """Hand a checked request to the warm process and wait for both texts; errors as above."""
    job = job_service.create_job(
        session, JobKind.STEERING_GENERATE, None, None, payload, max_attempts=2, job_id=job_id
    )
    session.commit()
    ended = wait_for_job(session, job.id, settings.steering_timeout.total_seconds(), is_abandoned)
    return SteeringResult(**{"job_id": ended.id, **(ended.result or {})})


def check_files(session: Session, settings: Settings, payload: dict[str, Any]) -> None:
    """Refuse to repeat what needs files that are gone.

    Raises:
        NotReady: The model or the checkpoint of a feature was deleted.
    """
    require_ready_model(session, UUID(payload["model_id"]))
    for edit in payload["edits"]:
        if not (settings.data_root / edit["sae_path"]).is_dir():
            raise NotReady(
                f"The checkpoint of feature {edit['neuron_index']} is gone, so the run cannot be "
                "repeated; its export as a Python program still can.",
                details={"feature_id": edit["id"]},
            )


def wait_for_job(
    session: Session, job_id: UUID, timeout_seconds: float, is_abandoned: Callable[[], bool]
) -> Job:
    """Wait for the job's end; between two looks no transaction is open."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        job = job_service.get_job(session, job_id)
        session.commit()
        if job.state is JobState.SUCCEEDED or (job.state.is_terminal and job.result):
            return job  # a cancelled one with the text so far
        if job.state is JobState.FAILED:
            raise SteeringFailed(job)
        if job.state.is_terminal:
            raise SteeringCancelled("The generation was cancelled.", details=_ids(job))
        is_late = time.monotonic() > deadline
        if is_late or is_abandoned():
            error = _too_late(job) if is_late else SteeringCancelled("Nobody waits for the text.")
            _cancel(session, job_id)
            raise error
        time.sleep(POLL_SECONDS)


def _cancel(session: Session, job_id: UUID) -> None:
    job = jobs.get(session, job_id, lock=True)
    if job is not None and not job.state.is_terminal:
        job_service.request(session, job_id, JobAction.CANCEL)
    session.commit()


def _too_late(job: Job) -> SteeringTimedOut:
    waiting = job.state is JobState.QUEUED
    return SteeringTimedOut(
        "No steering worker took the request in time. See whether the workers run (mistudio "
        "status)."
        if waiting
        else "The generation took too long. Ask for fewer tokens.",
        details=_ids(job),
    )


def _ids(job: Job) -> dict[str, str]:
    return {"job_id": str(job.id), "state": job.state}
