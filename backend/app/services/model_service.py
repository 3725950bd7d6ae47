"""Language models: creating, reading and deleting them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, ModelStatus, Quantization, ResourceType
from app.core.errors import Conflict
from app.db.models import LanguageModel
from app.db.repositories import models
from app.db.repositories.base import RowPage, SortOrder, lock_until_commit
from app.schemas.common import JobAccepted
from app.schemas.model import (
    ArchitectureLayer,
    ModelArchitecture,
    ModelDownload,
    ModelImport,
    ModelRead,
)
from app.services import cache, import_paths, job_service
from app.services.activation_service import hook_types_of
from app.services.hub import tokens
from app.services.job_summaries import accepted, shown_progress, summaries
from app.services.lookup import require_model, require_ready_model
from app.services.model_folder import has_chat_template
from app.services.model_source import check_model_source
from app.services.usage import dependents_in_words, refuse_if_busy, refuse_if_needed


class ModelNameTaken(Conflict):
    pass


def list_models(
    session: Session,
    *,
    page: int,
    limit: int,
    status: ModelStatus | None = None,
    search: str | None = None,
    sort_by: str = "created_at",
    order: SortOrder = "desc",
) -> RowPage[ModelRead]:
    rows = models.list_page(
        session, page=page, limit=limit, status=status, search=search, sort_by=sort_by, order=order
    )
    return RowPage(_read_all(session, rows.items), rows.page, rows.limit, rows.total)


def read_model(session: Session, model_id: UUID) -> ModelRead:
    return _read_all(session, [require_model(session, model_id)])[0]


def read_architecture(session: Session, settings: Settings, model_id: UUID) -> ModelArchitecture:
    """The model's parts, read from its folder at import."""
    return cache.remembered(
        f"architecture:{model_id}",
        cache.MODEL_METADATA_KEPT,
        ModelArchitecture,
        lambda: _read_architecture(session, settings, model_id),
    )


def _read_architecture(session: Session, settings: Settings, model_id: UUID) -> ModelArchitecture:
    model = require_ready_model(session, model_id)
    card = model.metadata_
    known = ("architecture", "family", "params_count", "n_layers", "d_model", "n_heads",
             "n_kv_heads", "d_mlp", "vocab_size", "max_positions")  # fmt: skip
    return ModelArchitecture(
        model_id=model.id,
        name=model.name,
        **{key: card[key] for key in known},
        tied_embeddings=card["tied"],
        hook_types=hook_types_of(model),
        has_chat_template=has_chat_template(settings, model.id),
        layers=[_read_layer(layer) for layer in card["layers"]],
    )


def import_model(session: Session, settings: Settings, request: ModelImport) -> JobAccepted:
    """Queue the import of a folder or GGUF file; what cannot be a model is refused now."""
    path = import_paths.resolve(settings, request.path)
    check_model_source(path)
    if path.is_dir():
        import_paths.check_links(settings, path.iterdir())
    name = (request.name or _name_of(path)).strip()
    quantization = Quantization(request.quantization)
    model = _create(session, name=name, status=ModelStatus.LOADING, quantization=quantization)
    payload = {"path": str(path), "quantization": request.quantization}
    job = job_service.create_job(
        session, JobKind.MODEL_IMPORT, ResourceType.MODEL, model.id, payload
    )
    return accepted(job)


def download_model(session: Session, settings: Settings, request: ModelDownload) -> JobAccepted:
    """Queue a download from the hub; the access token goes to the job by a private file only.

    Raises:
        ModelNameTaken: It is there already.
    """
    model = _create(
        session,
        name=request.repo_id,
        status=ModelStatus.DOWNLOADING,
        repo_id=request.repo_id,
        quantization=Quantization(request.quantization),
    )
    payload = {
        "repo_id": request.repo_id,
        "revision": request.revision,
        "quantization": request.quantization,
    }
    job = job_service.create_job(
        session, JobKind.MODEL_DOWNLOAD, ResourceType.MODEL, model.id, payload
    )
    if request.access_token:
        tokens.leave(settings, job.id, request.access_token)
    return accepted(job)


def delete_model(session: Session, model_id: UUID) -> JobAccepted:
    """Queue the deletion, with that of the model's tokenisations.

    Raises:
        InUse: A job, an activation store or a training needs it.
    """
    model = require_model(session, model_id, lock=True)
    what = f'The model "{model.name}"'
    refuse_if_busy(session, what, ResourceType.MODEL, model.id)
    for tokenization in models.list_tokenizations(session, model.id):
        refuse_if_busy(session, what, ResourceType.TOKENIZATION, tokenization.id)
    refuse_if_needed(what, dependents_in_words(session, models.dependents(session, model.id)))
    job = job_service.create_job(session, JobKind.MODEL_DELETE, ResourceType.MODEL, model.id, {})
    return accepted(job)


def _name_of(path: Path) -> str:
    return path.stem if path.is_file() else path.name


def _create(
    session: Session,
    *,
    name: str,
    status: ModelStatus,
    repo_id: str | None = None,
    quantization: Quantization | None = None,
) -> LanguageModel:
    lock_until_commit(session, "models.name")
    existing = models.find_by_name(session, name)
    if existing is not None:
        raise ModelNameTaken(
            f'There is a model "{existing.name}" already. Choose another name, or delete it.',
            details={"field": "name", "value": name, "model_id": str(existing.id)},
        )
    model = LanguageModel(
        name=name, status=status, repo_id=repo_id, quantization=quantization, progress=0.0
    )
    session.add(model)
    session.flush()
    return model


def _read_layer(layer: dict[str, Any]) -> ArchitectureLayer:
    return ArchitectureLayer(
        name=layer["name"], kind=layer["kind"], detail=layer["shape"], params=layer["params"]
    )


def _read_all(session: Session, rows: Sequence[LanguageModel]) -> list[ModelRead]:
    jobs = summaries(session, ResourceType.MODEL, [row.id for row in rows])
    return [
        ModelRead(
            id=row.id,
            name=row.name,
            repo_id=row.repo_id,
            architecture=row.architecture,
            params_count=row.params_count,
            quantization=row.quantization,
            memory_req_bytes=row.memory_req_bytes,
            status=row.status,
            progress=shown_progress(
                row.status is ModelStatus.READY, jobs.get(row.id), row.progress
            ),
            error_message=row.error_message,
            n_layers=row.metadata_.get("n_layers"),
            d_model=row.metadata_.get("d_model"),
            size_bytes=row.metadata_.get("size_bytes"),
            metadata={key: value for key, value in row.metadata_.items() if key != "layers"},
            created_at=row.created_at,
            updated_at=row.updated_at,
            job=jobs.get(row.id),
        )
        for row in rows
    ]
