"""Sweeps over steering strengths: queued, read, forgotten."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind
from app.core.errors import Conflict, NotFound
from app.db.models import Feature, Job, SteeringSweep
from app.db.repositories import features, jobs, steering_sweeps
from app.ml.configs import METRIC_DEFINITIONS, SteeringConfig
from app.ml.configs.sweep import CRITERIA, SweepConfig
from app.schemas.common import JobAccepted
from app.schemas.steering_sweep import SweepListed, SweepRead, SweepRequest, SweepTable
from app.services import job_service
from app.services.job_summaries import accepted
from app.services.lookup import require_ready_model
from app.services.ml_settings import build_config, refuse_field
from app.services.paging import RowPage
from app.services.steering_payload import make_condition, make_edits

MAX_TEXTS = 2000
_PLAN = frozenset({"strengths", "kl_targets", "n_samples", "controls", "select_by"})
_OWN = frozenset({"model_id", "prompts", "features", "intervention_layer", "force", "condition"})
_SHOWN = ("id", "neuron_index", "name", "method", "unit", "at_layer")


class SweepNotFound(NotFound):
    pass


class SweepRuns(Conflict):
    pass


def start_sweep(session: Session, request: SweepRequest) -> JobAccepted:
    """Check a sweep and queue it.

    Raises:
        ValidationFailed: Nothing to try, too much to try, or features that cannot be swept.
        NotReady: The model is not ready, or a feature's checkpoint is gone.
        FeatureNotFound: One of the features does not exist.
        LayerNotFound: The model has no such layer.
    """
    model = require_ready_model(session, request.model_id)
    values = request.model_dump(exclude=set(_OWN))
    plan = build_config(SweepConfig, {k: v for k, v in values.items() if k in _PLAN})
    text = {k: v for k, v in values.items() if k not in _PLAN}
    configs = [
        build_config(SteeringConfig, text | {"prompt": prompt}, prefix=f"prompts.{n}.")
        for n, prompt in enumerate(request.prompts)
    ]
    _check(request, plan)
    wanted = [feature.as_steered() for feature in request.features]
    edits = make_edits(session, model, wanted, request.intervention_layer, force=request.force)
    payload = {
        "model_id": str(model.id),
        "memory_bytes": model.memory_req_bytes or 0,
        "config": configs[0].to_dict(),
        "prompts": request.prompts,
        "sweep": plan.to_dict(),
        "edits": edits,
        "matched": _matched(session, edits),
        **make_condition(session, model, request.condition, edits),
    }
    job = job_service.create_job(session, JobKind.STEERING_SWEEP, None, None, payload)
    session.add(SteeringSweep(id=job.id, model_id=model.id, payload=payload))
    session.flush()
    return accepted(job)


def list_sweeps(
    session: Session, *, model_id: UUID | None, page: int, limit: int
) -> RowPage[SweepListed]:
    rows = steering_sweeps.list_page(session, model_id=model_id, page=page, limit=limit)
    items = [SweepListed(**_listed(row, _job(session, row))) for row in rows.items]
    return RowPage(items, rows.page, rows.limit, rows.total)


def read_sweep(session: Session, sweep_id: UUID) -> SweepRead:
    """The table as far as it is known, whatever became of the job.

    Raises:
        SweepNotFound: No such sweep.
    """
    row = _require(session, sweep_id)
    job = _job(session, row)
    sweep = row.payload["sweep"]
    shown = ("progress", "message", "eta_seconds", "error_code", "error_message")
    return SweepRead(
        **_listed(row, job),
        **{name: getattr(job, name) for name in shown},
        select_by=sweep["select_by"],
        select_by_definition=CRITERIA[sweep["select_by"]],
        settings={
            "text": row.payload["config"],
            "sweep": sweep,
            "condition": row.payload.get("condition"),
        },
        table=SweepTable(**row.result) if row.result is not None else None,
        definitions=METRIC_DEFINITIONS,
    )


def delete_sweep(session: Session, sweep_id: UUID) -> SweepListed:
    """Forget a sweep that has ended; the answer is what was forgotten.

    Raises:
        SweepNotFound: No such sweep.
        SweepRuns: It has not ended.
    """
    row = _require(session, sweep_id)
    job = _job(session, row)
    if not job.state.is_terminal:
        raise SweepRuns(
            "The sweep has not ended. Cancel it first; what is finished is kept.",
            details={"job_id": str(job.id), "state": job.state},
        )
    deleted = SweepListed(**_listed(row, job))
    session.delete(row)
    return deleted


def put_table(session: Session, sweep_id: UUID, table: dict[str, Any]) -> None:
    """Write what a running sweep knows; one that was deleted meanwhile stays deleted."""
    row = steering_sweeps.get(session, sweep_id)
    if row is not None:
        row.result = table


def _require(session: Session, sweep_id: UUID) -> SteeringSweep:
    row = steering_sweeps.get(session, sweep_id)
    if row is None:
        raise SweepNotFound(
            "This sweep does not exist; its model may have been deleted.",
            details={"sweep_id": str(sweep_id)},
        )
    return row


def _job(session: Session, row: SteeringSweep) -> Job:
    job = jobs.get(session, row.id)
    if job is None:
        raise SweepNotFound("The job of this sweep is gone.", details={"sweep_id": str(row.id)})
    return job


def _listed(row: SteeringSweep, job: Job) -> dict[str, Any]:
    edits = row.payload["edits"]
    return {
        "id": row.id,
        "model_id": row.model_id,
        "state": job.state,
        "prompts": row.payload["prompts"],
        "features": [{key: edit[key] for key in _SHOWN} for edit in edits],
        "created_at": row.created_at,
    }


def _check(request: SweepRequest, plan: SweepConfig) -> None:
    for feature in request.features:
        if why := plan.why_nothing_to_try(feature.method):
            refuse_field("strengths", f"leave nothing to try: {why}", list(plan.strengths))
    strengths = 1 + len(set(plan.strengths)) + len(set(plan.kl_targets))
    n_texts = len(request.prompts) * len(request.features) * strengths * plan.n_samples
    if n_texts > MAX_TEXTS:
        refuse_field("strengths", f"would make {n_texts} texts; at most {MAX_TEXTS} are generated")
    if plan.kl_targets and (other := [f.id for f in request.features if f.method != "add"]):
        refuse_field("kl_targets", 'can be met by the method "add" only', other)


def _matched(session: Session, edits: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """For each feature the edit of another one that fires about as often and as strongly."""
    ids = [edit["id"] for edit in edits]
    rows = {row.id: row for row in features.get_many(session, ids)}
    return [_matched_edit(session, edit, rows[edit["id"]], ids) for edit in edits]


def _matched_edit(
    session: Session, edit: dict[str, Any], row: Feature, unwanted: list[int]
) -> dict[str, Any] | None:
    other = steering_sweeps.find_matched(session, row, unwanted)
    if other is None:
        return None
    return edit | {
        "id": other.id,
        "neuron_index": other.neuron_index,
        "name": other.name or other.label,
        "max_activation": other.max_activation,
    }
