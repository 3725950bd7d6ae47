"""Datasets: creating, reading and deleting them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import DatasetSource, DatasetStatus, JobKind, ResourceType
from app.core.errors import Conflict
from app.core.paths import relative_to_root
from app.db.models import Dataset
from app.db.repositories import datasets
from app.db.repositories.base import RowPage, SortOrder, lock_until_commit
from app.schemas.common import JobAccepted
from app.schemas.dataset import DatasetDownload, DatasetImport, DatasetRead
from app.services import import_paths, job_service, tokenization_service
from app.services.corpora.local_files import check_source, list_files
from app.services.hub import tokens
from app.services.job_summaries import accepted, shown_progress, summaries
from app.services.lookup import require_dataset
from app.services.upload_service import Upload
from app.services.usage import dependents_in_words, refuse_if_busy, refuse_if_needed


class DatasetNameTaken(Conflict):
    pass


def list_datasets(
    session: Session,
    *,
    page: int,
    limit: int,
    status: DatasetStatus | None = None,
    search: str | None = None,
    sort_by: str = "created_at",
    order: SortOrder = "desc",
) -> RowPage[DatasetRead]:
    rows = datasets.list_page(
        session, page=page, limit=limit, status=status, search=search, sort_by=sort_by, order=order
    )
    return RowPage(_read_all(session, rows.items), rows.page, rows.limit, rows.total)


def read_dataset(session: Session, dataset_id: UUID) -> DatasetRead:
    return _read_all(session, [require_dataset(session, dataset_id)])[0]


def import_dataset(session: Session, settings: Settings, request: DatasetImport) -> JobAccepted:
    """Queue the import of a path or of a builtin corpus; what cannot work is refused now."""
    if request.path is not None:
        path = import_paths.resolve(settings, request.path)
        import_paths.check_links(settings, list_files(path))
        check_source(path, request.text_column)
        return _create_import(session, request.name, {"path": str(path)}, request)
    return _create_import(session, request.name, {"builtin": request.builtin}, request)


def import_upload(session: Session, settings: Settings, upload: Upload) -> JobAccepted:
    """Queue the import of an uploaded file; the job deletes it."""
    name = upload.fields.get("name") or upload.filename
    text_column = upload.fields.get("text_column") or None
    request = DatasetImport(name=name[:255], path=str(upload.path), text_column=text_column)
    check_source(upload.path, text_column)
    source = {"upload": relative_to_root(settings.data_root, upload.path)}
    queued = _create_import(session, request.name, source, request, kind=DatasetSource.CUSTOM)
    upload.is_taken = True
    return queued


def download_dataset(session: Session, settings: Settings, request: DatasetDownload) -> JobAccepted:
    """Queue a download from the hub; the access token goes to the job by a private file only."""
    parts = [part for part in (request.config, request.split) if part]
    name = f"{request.repo_id} ({', '.join(parts)})" if parts else request.repo_id
    dataset = _create(
        session,
        name=name,
        source=DatasetSource.HUGGING_FACE,
        repo_id=request.repo_id,
        status=DatasetStatus.DOWNLOADING,
    )
    payload = request.model_dump(mode="json", exclude={"access_token"})
    job = job_service.create_job(
        session, JobKind.DATASET_DOWNLOAD, ResourceType.DATASET, dataset.id, payload
    )
    if request.access_token:
        tokens.leave(settings, job.id, request.access_token)
    return accepted(job)


def delete_dataset(session: Session, dataset_id: UUID) -> JobAccepted:
    """Queue the deletion.

    Raises:
        InUse: A job, an activation store or a training needs it.
    """
    dataset = require_dataset(session, dataset_id, lock=True)
    what = f'The dataset "{dataset.name}"'
    refuse_if_busy(session, what, ResourceType.DATASET, dataset.id)
    for tokenization in datasets.list_tokenizations(session, dataset.id):
        refuse_if_busy(session, what, ResourceType.TOKENIZATION, tokenization.id)
    dependents = datasets.dependents(session, dataset.id)
    refuse_if_needed(what, dependents_in_words(session, dependents))
    job = job_service.create_job(
        session, JobKind.DATASET_DELETE, ResourceType.DATASET, dataset.id, {}
    )
    return accepted(job)


def _create_import(
    session: Session,
    name: str,
    source: dict[str, Any],
    request: DatasetImport,
    kind: DatasetSource = DatasetSource.LOCAL,
) -> JobAccepted:
    dataset = _create(
        session, name=name.strip(), source=kind, repo_id=None, status=DatasetStatus.INGESTING
    )
    payload = source | {
        "text_column": request.text_column,
        "max_documents": request.max_documents,
    }
    job = job_service.create_job(
        session, JobKind.DATASET_IMPORT, ResourceType.DATASET, dataset.id, payload
    )
    return accepted(job)


def _create(
    session: Session,
    *,
    name: str,
    source: DatasetSource,
    repo_id: str | None,
    status: DatasetStatus,
) -> Dataset:
    lock_until_commit(session, "datasets.name")
    existing = datasets.find_by_name(session, name)
    if existing is not None:
        raise DatasetNameTaken(
            f'There is a dataset "{existing.name}" already. Choose another name, or delete it.',
            details={"field": "name", "value": name, "dataset_id": str(existing.id)},
        )
    dataset = Dataset(name=name, source=source, repo_id=repo_id, status=status, progress=0.0)
    session.add(dataset)
    session.flush()
    return dataset


def _read_all(session: Session, rows: Sequence[Dataset]) -> list[DatasetRead]:
    ids = [row.id for row in rows]
    jobs = summaries(session, ResourceType.DATASET, ids)
    tokenizations = tokenization_service.read_for_datasets(session, ids)
    return [
        DatasetRead(
            id=row.id,
            name=row.name,
            source=row.source,
            repo_id=row.repo_id,
            size_bytes=row.size_bytes,
            n_documents=row.metadata_.get("n_documents"),
            status=row.status,
            progress=shown_progress(
                row.status is DatasetStatus.READY, jobs.get(row.id), row.progress
            ),
            error_message=row.error_message,
            metadata=row.metadata_,
            tokenizations=tokenizations.get(row.id, []),
            created_at=row.created_at,
            updated_at=row.updated_at,
            job=jobs.get(row.id),
        )
        for row in rows
    ]
