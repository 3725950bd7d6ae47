"""Dictionaries as things to exchange: queueing imports, listing, reading, deleting."""

from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import EncoderType, JobKind, ResourceType, SaeSource, TrainingStatus
from app.core.errors import NotFound
from app.db.models import Job, Training
from app.db.repositories import dictionaries, trainings
from app.schemas.common import JobAccepted
from app.schemas.sae import SaeDownload, SaeImport, SaePlace, SaeRead
from app.services import import_paths, job_service, training_service
from app.services.activation_service import check_layers
from app.services.hub import tokens
from app.services.job_summaries import accepted
from app.services.lookup import require_ready_activation, require_ready_model
from app.services.ml_settings import refuse_field
from app.services.paging import RowPage, SortOrder
from app.services.sae_source import check_sae_source
from app.services.sae_views import read_all

# Until the import has read its files; SaeRead shows nothing in their place.
NOT_READ: dict[str, Any] = {
    "layer": 0,
    "hook_type": "residual",
    "encoder_type": EncoderType.SPARSE,
    "hyperparameters": {},
}


class SaeNotFound(NotFound):
    pass


def import_sae(session: Session, settings: Settings, request: SaeImport) -> JobAccepted:
    """Queue the import of a folder or npz file; what cannot be a dictionary is refused now.

    Raises:
        PathNotReadable, SaeFormatInvalid: What the path lacks.
        NotReady: The model or the store is not ready.
        LayerNotFound, ValidationFailed: A place that model or store does not have.
    """
    path = import_paths.resolve(settings, request.path)
    check_sae_source(path)
    if path.is_dir():
        import_paths.check_links(settings, path.iterdir())
    origin = {"path": str(path)}
    name = path.stem if path.is_file() else path.name
    return accepted(_queue(session, request, name, origin))


def download_sae(session: Session, settings: Settings, request: SaeDownload) -> JobAccepted:
    """Queue a download from the hub; the access token goes to the job by a private file only.

    Raises:
        NotReady, LayerNotFound, ValidationFailed: As ``import_sae``.
    """
    if request.subfolder is not None and ".." in PurePosixPath(request.subfolder).parts:
        refuse_field("subfolder", "must stay inside the repository", request.subfolder)
    origin = {
        "repo_id": request.repo_id,
        "subfolder": request.subfolder,
        "revision": request.revision,
    }
    name = request.repo_id + (f"/{request.subfolder}" if request.subfolder else "")
    job = _queue(session, request, name[:255], origin)
    if request.access_token:
        tokens.leave(settings, job.id, request.access_token)
    return accepted(job)


def list_saes(
    session: Session,
    *,
    page: int,
    limit: int,
    source: SaeSource | None = None,
    model_id: UUID | None = None,
    search: str | None = None,
    sort_by: str = "created_at",
    order: SortOrder = "desc",
) -> RowPage[SaeRead]:
    rows = dictionaries.list_page(
        session,
        page=page,
        limit=limit,
        source=source,
        model_id=model_id,
        search=search,
        sort_by=sort_by,
        order=order,
    )
    return RowPage(read_all(session, rows.items), rows.page, rows.limit, rows.total)


def read_sae(session: Session, sae_id: UUID) -> SaeRead:
    return read_all(session, [require_sae(session, sae_id)])[0]


def delete_sae(session: Session, sae_id: UUID) -> JobAccepted:
    """Queue the deletion with checkpoints, metrics and features.

    Raises:
        InUse: It is being imported, trained, or its features are being discovered.
    """
    return training_service.delete_training(session, require_sae(session, sae_id).id)


def require_sae(session: Session, sae_id: UUID) -> Training:
    """
    Raises:
        SaeNotFound: There is none, or a training that has not saved anything yet.
    """
    training = trainings.get(session, sae_id)
    is_known = training is not None and (
        training.source is SaeSource.IMPORTED
        or trainings.latest_checkpoint(session, training.id) is not None
    )
    if training is None or not is_known:
        raise SaeNotFound(
            "This dictionary does not exist: it was deleted, or its training has not saved a "
            "checkpoint yet.",
            details={"sae_id": str(sae_id)},
        )
    return training


def _queue(session: Session, request: SaePlace, name: str, origin: dict[str, Any]) -> Job:
    model = require_ready_model(session, request.model_id)
    if request.layer is not None:
        check_layers(model, [request.layer])
    if request.activation_id is not None:
        store = require_ready_activation(session, request.activation_id)
        if store.model_id != model.id:
            refuse_field("activation_id", "is of another model", str(store.id))
    training = Training(
        name=request.name or name,
        model_id=model.id,
        activation_id=request.activation_id,
        source=SaeSource.IMPORTED,
        origin=origin,
        status=TrainingStatus.INITIALIZING,
        total_steps=0,
        **NOT_READ,
    )
    session.add(training)
    session.flush()
    payload = origin | {
        "layer": request.layer,
        "hook_type": request.hook_type,
        "activation_id": str(request.activation_id) if request.activation_id else None,
        "evaluate": request.evaluate,
    }
    resource = (ResourceType.TRAINING, training.id)
    return job_service.create_job(session, JobKind.SAE_IMPORT, *resource, payload)
