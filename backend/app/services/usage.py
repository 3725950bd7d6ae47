"""Refusing to delete what something else still needs."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind, ResourceType
from app.core.errors import Conflict
from app.db.models import Job
from app.db.repositories import activations, jobs, trainings
from app.services.lookup import DELETIONS, describe_store

JOB_NAMES = {
    JobKind.DATASET_DOWNLOAD: "its download",
    JobKind.DATASET_IMPORT: "its import",
    JobKind.DATASET_TOKENIZE: "a tokenisation",
    JobKind.MODEL_DOWNLOAD: "its download",
    JobKind.MODEL_IMPORT: "its import",
    JobKind.ACTIVATION_EXTRACT: "its extraction",
    JobKind.TRAINING_RUN: "a training run",
    JobKind.TRAINING_GRID: "a run that it shares with other trainings",
    JobKind.SAE_IMPORT: "its import",
    JobKind.FEATURE_EXTRACT: "a feature discovery",
    JobKind.FEATURE_SCORE: "a scoring of features",
    JobKind.FEATURE_IMPORT: "an import of features",
    JobKind.FEATURE_EXPORT: "an export of its features",
    JobKind.FEATURE_LABEL: "the writing of labels",
    JobKind.FEATURE_AUDIT: "an audit of its features",
    JobKind.TRAINING_EVALUATE: "a measurement",
}


class InUse(Conflict):
    """Something else still needs the resource; ``details`` names it."""


def refuse_if_busy(
    session: Session,
    what: str,
    resource_type: ResourceType,
    resource_id: UUID,
    *,
    besides: Collection[JobKind] = (),
) -> None:
    """Refuse while a job works on the resource.

    Args:
        session: Open session.
        what: The resource in words, e.g. ``The dataset "tales"``.
        resource_type: Kind of the resource.
        resource_id: Its id.
        besides: Kinds of jobs that are no hindrance.

    Raises:
        InUse: A job on it has not ended.
    """
    unfinished = [
        job
        for job in jobs.unfinished_for(session, resource_type, resource_id)
        if job.kind not in besides
    ]
    if unfinished:
        raise InUse(_busy_sentence(what, unfinished[0]), details=_job_details(unfinished[0]))


def refuse_if_needed(what: str, needed_by: list[tuple[str, UUID, str]]) -> None:
    """Refuse while other resources need this one.

    Args:
        what: The resource in words.
        needed_by: Kind, id and name of each.

    Raises:
        InUse: The list is not empty.
    """
    if not needed_by:
        return
    kind, _, name = needed_by[0]
    others = f" and {len(needed_by) - 1} more" if len(needed_by) > 1 else ""
    raise InUse(
        f'{what} is needed by the {kind} "{name}"{others}. Delete that first.',
        details={
            "needed_by": [
                {"type": kind, "id": str(key), "name": name} for kind, key, name in needed_by
            ]
        },
    )


def dependents_in_words(
    session: Session, dependents: dict[str, list[UUID]]
) -> list[tuple[str, UUID, str]]:
    """Kind, id and name of the trainings and stores that need something."""
    named: list[tuple[str, UUID, str]] = []
    for training_id in dependents["trainings"]:
        training = trainings.get(session, training_id)
        if training is not None:
            named.append(("training", training_id, training.name or str(training_id)))
    for activation_id in dependents["activations"]:
        store = activations.get(session, activation_id)
        if store is not None:
            named.append(("activation store", activation_id, describe_store(store)))
    return named


def _busy_sentence(what: str, job: Job) -> str:
    if job.kind in DELETIONS:
        return f"{what} is being deleted already."
    name = JOB_NAMES.get(job.kind, "a job")
    return f"{what} is in use by {name} ({job.state}). Cancel or stop that first."


def _job_details(job: Job) -> dict[str, str]:
    return {"job_id": str(job.id), "kind": job.kind, "state": job.state}
