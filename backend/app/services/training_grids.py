"""Trainings that share one run, and so one pass over the activations."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.enums import JobKind, ResourceType, TrainingStatus
from app.db.models import Training
from app.db.repositories import trainings
from app.ml.configs import sharing_problems
from app.schemas.estimate import Estimate
from app.schemas.training import (
    GridVariant,
    Hyperparameters,
    TrainingCreate,
    TrainingCreated,
    TrainingGridCreate,
    TrainingGridCreated,
)
from app.services import job_service, resource_status
from app.services.estimates.extraction import Judged
from app.services.estimates.training import estimate_grid
from app.services.estimates.verdict import refuse_unfit
from app.services.lookup import require_training
from app.services.ml_settings import refuse
from app.services.training_records import RunPlan, read_plan
from app.services.training_service import PreparedTraining, add_training, prepare


def create_grid(session: Session, request: TrainingGridCreate) -> TrainingGridCreated:
    """Create the trainings of a grid and queue the run that they share.

    Raises:
        NotReady: Model, dataset or store is not ready, or there is no store yet.
        LayerNotFound: The model or the store lacks a layer or a hook type.
        ValidationFailed: Hyperparameters that cannot be trained, or cannot share batches.
        DoesNotFit: This machine cannot hold all of them at once; the error says how many.
    """
    wanted, parts = _prepare(session, request)
    judged = _judge(session, parts)
    refuse_unfit(judged.estimate)
    rows = [add_training(session, *pair) for pair in zip(wanted, parts, strict=True)]
    job = job_service.create_job(
        session, JobKind.TRAINING_GRID, ResourceType.TRAINING, rows[0].id, {},
        estimate=judged.recorded,
    )  # fmt: skip
    for row in rows:
        row.shared_run_id = job.id
    session.flush()
    resource_status.sync(session, job)
    made = [TrainingCreated(training_id=r.id, status=r.status, job_id=job.id) for r in rows]
    return TrainingGridCreated(job_id=job.id, trainings=made)


def estimate(session: Session, request: TrainingGridCreate) -> Estimate:
    """What a grid would take; errors as ``create_grid``, but for ``DoesNotFit``."""
    return _judge(session, _prepare(session, request)[1]).estimate


def read_plans(session: Session, job_id: UUID) -> list[RunPlan]:
    """What a run has to train: those that share it and have not failed."""
    rows = trainings.list_sharing(session, job_id)
    return [read_plan(session, row.id) for row in rows]


def record_failure(session: Session, training_id: UUID, message: str) -> None:
    """Let one that diverged leave its run with an error; the others go on."""
    training: Training = require_training(session, training_id, lock=True)
    training.status = TrainingStatus.ERROR
    training.error_message = message
    training.shared_run_id = None
    session.flush()


def _prepare(
    session: Session, request: TrainingGridCreate
) -> tuple[list[TrainingCreate], list[PreparedTraining]]:
    """The request of each training, and its parts, checked."""
    wanted = [_merged(request, variant) for variant in request.variants]
    first = prepare(session, wanted[0], None)
    parts = [first, *(prepare(session, one, first.store) for one in wanted[1:])]
    refuse(sharing_problems([part.config for part in parts]), prefix="hyperparameters.")
    return wanted, parts


def _judge(session: Session, parts: Sequence[PreparedTraining]) -> Judged:
    first = parts[0]
    return estimate_grid(
        session, get_settings(), first.model, first.store, first.tokens,
        [part.dictionary for part in parts],
    )  # fmt: skip


def _merged(request: TrainingGridCreate, variant: GridVariant) -> TrainingCreate:
    """The request of one training: what the variant says, else what all share."""
    values: dict[str, Any] = request.model_dump(exclude={"variants", "hyperparameters"})
    own = variant.model_dump(exclude={"hyperparameters"}, exclude_none=True)
    recipe = _given(request.hyperparameters) | _given(variant.hyperparameters)
    # Said to be empty is the same as not said: the batches are those of the common seed.
    if recipe.get("data_seed") is None:
        recipe["data_seed"] = _given(request.hyperparameters).get("seed", 0)
    return TrainingCreate(**(values | own), hyperparameters=Hyperparameters(**recipe))


def _given(hyperparameters: Any) -> dict[str, Any]:
    given: dict[str, Any] = hyperparameters.model_dump(exclude_unset=True)
    return given
