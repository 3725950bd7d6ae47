"""Language models: from the hub or from this machine."""

from uuid import UUID

from fastapi import Response

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
    enveloped,
    failures,
    paged,
    queued,
)
from app.api.section import Section
from app.core.enums import ModelStatus
from app.schemas.common import Envelope, JobAccepted, Page
from app.schemas.model import (
    ModelArchitecture,
    ModelDownload,
    ModelImport,
    ModelRead,
    TokenizedText,
    TokenizeText,
)
from app.services import model_service, tokenization_service

router = Section(prefix="/models", tags=["models"])


@router.get("", responses=failures())
def list_models(
    session: SessionDep,
    meta: MetaDep,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
    status: ModelStatus | None = None,
    search: SearchQuery = None,
    sort_by: SortQuery = "created_at",
    order: OrderQuery = "desc",
) -> Page[ModelRead]:
    """List models."""
    rows = model_service.list_models(
        session, page=page, limit=limit, status=status, search=search, sort_by=sort_by, order=order
    )
    return paged(rows, meta)


@router.post("/download", status_code=202, responses=failures(409, 422))
def download_model(
    body: ModelDownload, session: SessionDep, settings: SettingsDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Download a model from the Hugging Face hub."""
    return posting.queued(body, lambda: model_service.download_model(session, settings, body))


@router.post("/import", status_code=202, responses=failures(409, 422))
def import_model(
    body: ModelImport, session: SessionDep, settings: SettingsDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Import a Hugging Face folder or a GGUF file from this machine."""
    return posting.queued(body, lambda: model_service.import_model(session, settings, body))


@router.get("/{model_id}", responses=failures(404))
def get_model(model_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[ModelRead]:
    """Read one model."""
    return enveloped(model_service.read_model(session, model_id), meta)


@router.get("/{model_id}/architecture", responses=failures(404, 409))
def get_architecture(
    model_id: UUID, session: SessionDep, settings: SettingsDep, meta: MetaDep
) -> Envelope[ModelArchitecture]:
    """Read a model's parts: blocks, shapes, parameters, hook points."""
    return enveloped(model_service.read_architecture(session, settings, model_id), meta)


@router.post("/{model_id}/tokenize", responses=failures(404, 409))
def tokenize_text(
    model_id: UUID, body: TokenizeText, session: SessionDep, settings: SettingsDep, meta: MetaDep
) -> Envelope[TokenizedText]:
    """Cut a text into a model's tokens, and name tokens by their ids."""
    return enveloped(tokenization_service.tokenize_text(session, settings, model_id, body), meta)


@router.delete("/{model_id}", status_code=202, responses=failures(404, 409))
def delete_model(
    model_id: UUID, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[JobAccepted]:
    """Delete a model and its tokenisations in the background."""
    return queued(model_service.delete_model(session, model_id), meta, response)
