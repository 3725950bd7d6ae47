"""Steered generation beside the unsteered one; saved runs and presets."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.api.deps import (
    IfMatch,
    LimitQuery,
    MetaDep,
    PageQuery,
    PostingDep,
    SessionDep,
    SettingsDep,
    client_left,
    enveloped,
    failures,
    paged,
    tagged,
)
from app.api.section import Section
from app.schemas.common import Envelope, JobAccepted, Page
from app.schemas.steering import SteeringGenerate, SteeringResult
from app.schemas.steering_run import (
    ExportFormat,
    PresetRead,
    PresetWrite,
    SteeringReplay,
    SteeringRunRead,
    SteeringRunRow,
)
from app.schemas.steering_sweep import SweepListed, SweepRead, SweepRequest
from app.services import (
    steering_export,
    steering_presets,
    steering_runs,
    steering_service,
    steering_sweeps,
)

router = Section(prefix="/steering", tags=["steering"])
FormatQuery = Annotated[
    ExportFormat,
    Query(
        alias="format",
        description="json: everything; safetensors: the directions; gguf: a control vector; "
        "python: a program that repeats the steered text",
    ),
]


@router.post("/generate", responses=failures(404, 409, 503, 504))
def generate(
    body: SteeringGenerate,
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    meta: MetaDep,
) -> Envelope[SteeringResult]:
    """Generate a text with and without features added to the model's hidden states."""
    result = steering_service.generate(session, settings, body, client_left(request))
    return enveloped(result, meta)


@router.post("/sweep", status_code=202, responses=failures(404, 409, 422))
def sweep(body: SweepRequest, session: SessionDep, posting: PostingDep) -> Envelope[JobAccepted]:
    """Queue a sweep over strengths with controls; its table grows under /steering/sweeps/{id}."""
    return posting.queued(body, lambda: steering_sweeps.start_sweep(session, body))


@router.get("/sweeps", responses=failures())
def list_sweeps(
    session: SessionDep,
    meta: MetaDep,
    model_id: UUID | None = None,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
) -> Page[SweepListed]:
    """List sweeps, newest first."""
    rows = steering_sweeps.list_sweeps(session, model_id=model_id, page=page, limit=limit)
    return paged(rows, meta)


@router.get("/sweeps/{sweep_id}", responses=failures(404))
def get_sweep(sweep_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[SweepRead]:
    """Read a sweep's table as far as it is known, also of a running or cancelled one."""
    return enveloped(steering_sweeps.read_sweep(session, sweep_id), meta)


@router.delete("/sweeps/{sweep_id}", responses=failures(404, 409))
def delete_sweep(sweep_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[SweepListed]:
    """Forget a sweep that has ended; the answer is what was forgotten."""
    return enveloped(steering_sweeps.delete_sweep(session, sweep_id), meta)


@router.get("/runs", responses=failures())
def list_runs(
    session: SessionDep,
    meta: MetaDep,
    model_id: UUID | None = None,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
) -> Page[SteeringRunRow]:
    """List saved runs, newest first."""
    rows = steering_runs.list_runs(session, model_id=model_id, page=page, limit=limit)
    return paged(rows, meta)


@router.get("/runs/{run_id}", responses=failures(404))
def get_run(run_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[SteeringRunRead]:
    """Read one saved run."""
    return enveloped(steering_runs.read_run(session, run_id), meta)


@router.delete("/runs/{run_id}", responses=failures(404))
def delete_run(run_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[SteeringRunRow]:
    """Forget one saved run; the answer is what was forgotten."""
    return enveloped(steering_runs.delete_run(session, run_id), meta)


@router.post("/runs/{run_id}/replay", responses=failures(404, 409, 503, 504))
def replay_run(
    run_id: UUID, request: Request, session: SessionDep, settings: SettingsDep, meta: MetaDep
) -> Envelope[SteeringReplay]:
    """Generate a run's texts again and say whether, and where, they differ."""
    return enveloped(steering_runs.replay(session, settings, run_id, client_left(request)), meta)


@router.get(
    "/runs/{run_id}/export",
    response_class=Response,
    responses={**failures(404), 200: {"description": "The file, without an envelope"}},
)
def export_run(run_id: UUID, session: SessionDep, file_format: FormatQuery = "json") -> Response:
    """Download a run as JSON, as vectors or as a program that repeats its text."""
    made = steering_export.export_run(session, run_id, file_format)
    headers = {"Content-Disposition": f'attachment; filename="{made.file_name}"'}
    return Response(made.content, media_type=made.media_type, headers=headers)


@router.get("/presets", responses=failures(404))
def list_presets(
    session: SessionDep, meta: MetaDep, training_id: UUID | None = None
) -> Envelope[list[PresetRead]]:
    """List steering presets, favourites first."""
    return enveloped(steering_presets.list_presets(session, training_id), meta)


@router.post("/presets", status_code=201, responses=failures(404, 409, 422))
def create_preset(
    body: PresetWrite, session: SessionDep, posting: PostingDep
) -> Envelope[PresetRead]:
    """Save features and strengths under a name."""
    return posting.created(
        body,
        PresetRead,
        lambda: steering_presets.create_preset(session, body),
        lambda made: f"/steering/presets/{made.id}",
        is_versioned=True,
    )


@router.get("/presets/{preset_id}", responses=failures(404))
def get_preset(
    preset_id: UUID, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[PresetRead]:
    """Read one preset."""
    return tagged(steering_presets.read_preset(session, preset_id), meta, response)


@router.put("/presets/{preset_id}", responses=failures(404, 409, 412))
def replace_preset(
    preset_id: UUID,
    body: PresetWrite,
    session: SessionDep,
    meta: MetaDep,
    response: Response,
    if_match: IfMatch = None,
) -> Envelope[PresetRead]:
    """Write a preset anew."""
    return tagged(
        steering_presets.replace_preset(session, preset_id, body, if_match), meta, response
    )


@router.delete("/presets/{preset_id}", responses=failures(404, 412))
def delete_preset(
    preset_id: UUID, session: SessionDep, meta: MetaDep, if_match: IfMatch = None
) -> Envelope[PresetRead]:
    """Delete a preset; the answer is what was deleted."""
    return enveloped(steering_presets.delete_preset(session, preset_id, if_match), meta)
