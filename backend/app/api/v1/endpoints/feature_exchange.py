"""Features as files, out of this installation and into it."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import FileResponse

from app.api.deps import (
    MetaDep,
    PostingDep,
    SearchQuery,
    SessionDep,
    SettingsDep,
    body_chunks,
    enveloped,
    failures,
)
from app.api.download import Download
from app.api.section import Section
from app.api.v1.feature_filters import FavoriteQuery, RangeQuery, TagQuery
from app.schemas.common import Envelope, JobAccepted
from app.schemas.feature_exchange import FeatureExportCreate, FeatureExportRead, FeatureUpload
from app.services import feature_service, upload_service
from app.services.feature_exchange import (
    export_files,
    export_jobs,
    importing,
    table_download,
)

router = Section(prefix="/features", tags=["features"])
FormatQuery = Annotated[table_download.TableFormat, Query(alias="format")]
_UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": FeatureUpload.model_json_schema()}},
    }
}


@router.get("/export", response_class=FileResponse, responses=failures(404, 409, 416))
def download_table(
    session: SessionDep,
    settings: SettingsDep,
    training_id: UUID,
    form: FormatQuery = "csv",
    search: SearchQuery = None,
    is_favorite: FavoriteQuery = None,
    ranges: RangeQuery = [],  # noqa: B006 - FastAPI copies it
    tags: TagQuery = [],  # noqa: B006
) -> Download:
    """Download the table that a filter lets pass, without contexts, at most 10,000 features.

    More are refused (409): start an export (``POST /features/exports``) and fetch its file.
    """
    wanted = feature_service.make_filter(
        training_id=training_id, search=search, is_favorite=is_favorite, tags=tags, ranges=ranges
    )
    path = table_download.write_table(session, settings, wanted, training_id, form)
    return Download(path, temporary=path.parent)


@router.post("/exports", status_code=202, responses=failures(404, 409, 422))
def start_export(
    body: FeatureExportCreate, session: SessionDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Write features with all that belongs to them into a file, by a job.

    It is listed under ``GET /features/exports`` when the job has succeeded, and kept for a day.
    """
    return posting.queued(body, lambda: export_jobs.queue_export(session, body))


@router.get("/exports", responses=failures(404))
def list_exports(
    training_id: UUID, session: SessionDep, meta: MetaDep
) -> Envelope[list[FeatureExportRead]]:
    """List the finished exports of a training, newest first, also those whose file is gone."""
    return enveloped(export_files.list_exports(session, training_id), meta)


@router.get(
    "/exports/{job_id}/file", response_class=FileResponse, responses=failures(404, 409, 416)
)
def download_export(job_id: UUID, session: SessionDep, settings: SettingsDep) -> Download:
    """Download the file of a finished export; ranges are answered, so a download can go on."""
    path = export_files.find_file(session, settings, job_id)
    return Download(path)


@router.post(
    "/upload", status_code=202, responses=failures(404, 409, 413, 422), openapi_extra=_UPLOAD_BODY
)
def upload_features(
    request: Request, session: SessionDep, settings: SettingsDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Import a Parquet bundle, a Neuronpedia folder or SAEDashboard batches, by a job.

    With ``dry_run`` the job writes nothing; its result says what an import would do.
    """
    content_type, chunks = request.headers.get("content-type"), body_chunks(request)
    with upload_service.received(settings, content_type, chunks, importing.SUFFIXES) as upload:
        return posting.queued(
            upload.content, lambda: importing.import_upload(session, settings, upload)
        )
