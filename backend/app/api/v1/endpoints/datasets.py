"""Datasets: from the hub, from this machine or uploaded; their text and their tokens."""

from uuid import UUID

from fastapi import Request, Response

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
    body_chunks,
    enveloped,
    failures,
    paged,
    queued,
)
from app.api.section import Section
from app.core.enums import DatasetStatus
from app.schemas.common import Envelope, JobAccepted, Page
from app.schemas.dataset import (
    DatasetDownload,
    DatasetImport,
    DatasetRead,
    DatasetSample,
    DatasetStats,
    DatasetUpload,
    TokenizationRead,
    TokenizePreview,
    TokenizePreviewRequest,
    TokenizeRequest,
)
from app.services import (
    dataset_content_service,
    dataset_service,
    tokenization_service,
    upload_service,
)

router = Section(prefix="/datasets", tags=["datasets"])
_UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": DatasetUpload.model_json_schema()}},
    }
}


@router.get("", responses=failures())
def list_datasets(
    session: SessionDep,
    meta: MetaDep,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
    status: DatasetStatus | None = None,
    search: SearchQuery = None,
    sort_by: SortQuery = "created_at",
    order: OrderQuery = "desc",
) -> Page[DatasetRead]:
    """List datasets."""
    rows = dataset_service.list_datasets(
        session, page=page, limit=limit, status=status, search=search, sort_by=sort_by, order=order
    )
    return paged(rows, meta)


@router.post("/download", status_code=202, responses=failures(409, 422))
def download_dataset(
    body: DatasetDownload, session: SessionDep, settings: SettingsDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Download a dataset from the Hugging Face hub."""
    return posting.queued(body, lambda: dataset_service.download_dataset(session, settings, body))


@router.post("/import", status_code=202, responses=failures(409, 422))
def import_dataset(
    body: DatasetImport, session: SessionDep, settings: SettingsDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Import a file, a folder or a builtin corpus from this machine."""
    return posting.queued(body, lambda: dataset_service.import_dataset(session, settings, body))


@router.post(
    "/upload", status_code=202, responses=failures(409, 413, 422), openapi_extra=_UPLOAD_BODY
)
def upload_dataset(
    request: Request, session: SessionDep, settings: SettingsDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Upload a text file and import it."""
    content_type = request.headers.get("content-type")
    with upload_service.received(settings, content_type, body_chunks(request)) as upload:
        return posting.queued(
            upload.content, lambda: dataset_service.import_upload(session, settings, upload)
        )


@router.get("/{dataset_id}", responses=failures(404))
def get_dataset(dataset_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[DatasetRead]:
    """Read one dataset with its tokenisations."""
    return enveloped(dataset_service.read_dataset(session, dataset_id), meta)


@router.get("/{dataset_id}/samples", responses=failures(404, 409))
def list_samples(
    dataset_id: UUID,
    session: SessionDep,
    settings: SettingsDep,
    meta: MetaDep,
    page: PageQuery = 1,
    limit: LimitQuery = 20,
    search: SearchQuery = None,
) -> Page[DatasetSample]:
    """Read documents in corpus order, or those that hold a text."""
    rows = dataset_content_service.list_samples(
        session, settings, dataset_id, page=page, limit=limit, search=search
    )
    return paged(rows, meta)


@router.get("/{dataset_id}/stats", responses=failures(404, 409))
def get_stats(dataset_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[DatasetStats]:
    """Read document lengths in characters and, once tokenised, in tokens."""
    return enveloped(dataset_content_service.read_stats(session, dataset_id), meta)


@router.get("/{dataset_id}/tokenizations", responses=failures(404))
def list_tokenizations(
    dataset_id: UUID, session: SessionDep, meta: MetaDep
) -> Envelope[list[TokenizationRead]]:
    """List the tokenisations of a dataset, newest first."""
    return enveloped(tokenization_service.list_tokenizations(session, dataset_id), meta)


@router.post("/{dataset_id}/tokenize", status_code=202, responses=failures(404, 409, 422))
def tokenize_dataset(
    dataset_id: UUID, body: TokenizeRequest, session: SessionDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Tokenise a dataset with a model's tokenizer."""
    return posting.queued(
        body, lambda: tokenization_service.tokenize_dataset(session, dataset_id, body)
    )


@router.post("/{dataset_id}/tokenize-preview", responses=failures(404, 409))
def preview_tokens(
    dataset_id: UUID,
    body: TokenizePreviewRequest,
    session: SessionDep,
    settings: SettingsDep,
    meta: MetaDep,
) -> Envelope[TokenizePreview]:
    """Cut one text into a model's tokens."""
    return enveloped(tokenization_service.preview(session, settings, dataset_id, body), meta)


@router.delete("/{dataset_id}", status_code=202, responses=failures(404, 409))
def delete_dataset(
    dataset_id: UUID, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[JobAccepted]:
    """Delete a dataset and its tokenisations in the background."""
    return queued(dataset_service.delete_dataset(session, dataset_id), meta, response)
