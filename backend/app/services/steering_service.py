"""Steered generation: a job in the warm process, waited for."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.core.errors import Conflict, NotReady
from app.db.repositories import jobs
from app.schemas.steering import SteeringGenerate, SteeringResult
from app.services import job_service
from app.services.job_waiting import wait_for_job
from app.services.lookup import require_ready_model
from app.services.steering_payload import make_payload


class RunExists(Conflict):
    pass


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
        JobFailed: The generation failed.
        JobTimedOut: It took too long and was cancelled.
        JobCancelled: It was cancelled before the first token.
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
    for edit in _read_features(payload):
        if not (settings.data_root / edit["sae_path"]).is_dir():
            raise NotReady(
                f"The checkpoint of feature {edit['neuron_index']} is gone, so the run cannot be "
                "repeated; its export as a Python program still can.",
                details={"feature_id": edit["id"]},
            )


def _read_features(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The features whose dictionaries a run needs: those that steer and the condition's."""
    return [*payload["edits"], *filter(None, [payload.get("condition")])]
