"""Dictionaries to exchange: import, export, and all of them in one list."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from app.api.deps import (
    LimitQuery,
    MetaDep,
    OrderQuery,
    PageQuery,
    PostingDep,
    SearchQuery,
    SessionDep,
    SettingsDep,
    SortQuery,
    client_left,
    failures,
    paged,
    queued,
    tagged,
)
from app.api.section import Section
from app.core.enums import SaeSource
from app.schemas.common import Envelope, JobAccepted, Page
from app.schemas.sae import SaeDownload, SaeImport, SaeRead
from app.services import sae_export, sae_service

router = Section(prefix="/saes", tags=["saes"])


@router.get("", responses=failures())
def list_saes(
    session: SessionDep,
    meta: MetaDep,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
    source: SaeSource | None = None,
    model_id: UUID | None = None,
    search: SearchQuery = None,
    sort_by: SortQuery = "created_at",
    order: OrderQuery = "desc",
) -> Page[SaeRead]:
    """List dictionaries, trained and imported alike."""
    rows = sae_service.list_saes(
        session,
        page=page,
        limit=limit,
        source=source,
        model_id=model_id,
        search=search,
        sort_by=sort_by,
        order=order,
    )
    return paged(rows, meta)


@router.post("/import", status_code=202, responses=failures(404, 409, 422))
def import_sae(
    body: SaeImport, session: SessionDep, settings: SettingsDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Import a dictionary of another library from this machine, proved on real activations."""
    return posting.queued(body, lambda: sae_service.import_sae(session, settings, body))


@router.post("/download", status_code=202, responses=failures(404, 409, 422))
def download_sae(
    body: SaeDownload, session: SessionDep, settings: SettingsDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Import a dictionary from the Hugging Face hub, proved on real activations."""
    return posting.queued(body, lambda: sae_service.download_sae(session, settings, body))


@router.get("/{sae_id}", responses=failures(404))
def get_sae(
    sae_id: UUID, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[SaeRead]:
    """Read one dictionary with its origin and its parity reports."""
    return tagged(sae_service.read_sae(session, sae_id), meta, response)


@router.get(
    "/{sae_id}/export",
    response_class=Response,
    responses={
        **failures(404, 409, 504),
        200: {
            "description": "A zip archive, without an envelope",
            "content": {"application/zip": {}},
        },
    },
)
def export_sae(
    sae_id: UUID,
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    step: Annotated[int | None, Query(ge=0, description="By default the latest")] = None,
) -> StreamingResponse:
    """Download a checkpoint as a SAELens folder (version 6) with its parity report."""
    made = sae_export.export_sae(session, settings, sae_id, step, client_left(request))
    headers = {"Content-Disposition": f'attachment; filename="{made.file_name}"'}
    return StreamingResponse(made.content, media_type="application/zip", headers=headers)


@router.delete("/{sae_id}", status_code=202, responses=failures(404, 409))
def delete_sae(
    sae_id: UUID, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[JobAccepted]:
    """Delete a dictionary with its checkpoints, metrics and features in the background."""
    return queued(sae_service.delete_sae(session, sae_id), meta, response)
