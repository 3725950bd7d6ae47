"""Activation stores: queueing an extraction, listing, deleting."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.enums import ActivationStatus, ErrorCode, JobKind, ResourceType, TrainingStatus
from app.core.errors import AppError
from app.core.paths import activation_dir
from app.db.models import Activation, Dataset, LanguageModel
from app.db.repositories import activations, datasets, models, trainings
from app.ml.configs import HOOK_TYPES, ExtractionConfig
from app.schemas.activation import ActivationExtract, ActivationRead
from app.schemas.common import JobAccepted
from app.schemas.estimate import Estimate
from app.services import job_service
from app.services.estimates.extraction import count_tokens, estimate_extraction
from app.services.estimates.verdict import refuse_unfit
from app.services.job_service import Link
from app.services.job_summaries import accepted, shown_progress, summaries
from app.services.lookup import (
    describe_store,
    require_activation,
    require_ready_dataset,
    require_ready_model,
)
from app.services.ml_settings import build_config
from app.services.paging import RowPage, SortOrder
from app.services.tokenization_service import choose_tokenization, find_tokenization
from app.services.usage import refuse_if_busy, refuse_if_needed

_ENDED = frozenset({TrainingStatus.STOPPED, TrainingStatus.COMPLETED, TrainingStatus.ERROR})


class LayerNotFound(AppError):
    code = ErrorCode.HOOK_POINT_NOT_FOUND
    status = 400


def extract_activations(
    session: Session, request: ActivationExtract, *, link: Link | None = None
) -> JobAccepted:
    """Queue an extraction; a dataset without tokens for the model is tokenised by the same job.

    Raises:
        NotReady: Model or dataset is not ready.
        LayerNotFound: A layer that the model does not have.
        ValidationFailed: Settings that do not exist together.
        DoesNotFit: This machine cannot hold it; the error says what would fit.
    """
    model, dataset, config = _check(session, request)
    tokenization = choose_tokenization(
        session,
        dataset.id,
        model.id,
        int(model.metadata_["max_positions"]),
        request.tokenization_id,
    )
    tokens = count_tokens(dataset, model, tokenization)
    judged = estimate_extraction(session, get_settings(), model, tokens, config)
    refuse_unfit(judged.estimate)
    store = Activation(
        model_id=model.id,
        dataset_id=dataset.id,
        tokenization_id=tokenization.id,
        layers=list(config.layers),
        hook_types=list(config.hook_types),
        config=config.to_dict(),
        status=ActivationStatus.QUEUED,
    )
    session.add(store)
    session.flush()
    store.file_path = str(activation_dir(store.id))
    job = job_service.create_job(
        session,
        JobKind.ACTIVATION_EXTRACT,
        ResourceType.ACTIVATION,
        store.id,
        {},
        link=link,
        estimate=judged.recorded,
    )
    return accepted(job)


def estimate_activations(session: Session, request: ActivationExtract) -> Estimate:
    """What an extraction would take; errors as ``extract_activations``, but for ``DoesNotFit``."""
    model, dataset, config = _check(session, request)
    wanted = request.tokenization_id
    tokenization = find_tokenization(session, dataset.id, model.id, wanted)
    tokens = count_tokens(dataset, model, tokenization)
    return estimate_extraction(session, get_settings(), model, tokens, config).estimate


def _check(
    session: Session, request: ActivationExtract
) -> tuple[LanguageModel, Dataset, ExtractionConfig]:
    model = require_ready_model(session, request.model_id)
    dataset = require_ready_dataset(session, request.dataset_id)
    own = {"model_id", "dataset_id", "tokenization_id"}
    config = build_config(ExtractionConfig, request.model_dump(exclude=own))
    check_layers(model, config.layers)
    check_hook_types(model, config.hook_types)
    return model, dataset, config


def check_layers(model: LanguageModel, layers: Sequence[int]) -> None:
    """
    Raises:
        LayerNotFound: One of them is not in the model; the sentence names the valid range.
    """
    n_layers = int(model.metadata_["n_layers"])
    unknown = [layer for layer in layers if not 0 <= layer < n_layers]
    if unknown:
        raise LayerNotFound(
            f"{model.name} has no layer {unknown[0]}. Its layers are 0 to {n_layers - 1}.",
            details={
                "field": "layers",
                "value": unknown,
                "constraints": {"min": 0, "max": n_layers - 1},
            },
        )


def hook_types_of(model: LanguageModel) -> list[str]:
    """Places that every block of a model has; all, where its import did not look for them."""
    return list(model.metadata_.get("hook_types") or HOOK_TYPES)


def check_hook_types(model: LanguageModel, hook_types: Sequence[str]) -> None:
    """
    Raises:
        LayerNotFound: The model's blocks have no such place; the sentence names those they have.
    """
    offered = hook_types_of(model)
    unknown = [hook_type for hook_type in hook_types if hook_type not in offered]
    if unknown:
        why = (
            " Where attention and MLP read the same stream side by side, nothing lies between."
            if unknown[0] == "resid_mid"
            else ""
        )
        raise LayerNotFound(
            f"{model.name} has no {unknown[0]}.{why} Its blocks have: {', '.join(offered)}.",
            details={"field": "hook_types", "value": unknown, "choices": offered},
        )


def list_activations(
    session: Session,
    *,
    page: int,
    limit: int,
    status: ActivationStatus | None = None,
    model_id: UUID | None = None,
    dataset_id: UUID | None = None,
    sort_by: str = "created_at",
    order: SortOrder = "desc",
) -> RowPage[ActivationRead]:
    rows = activations.list_page(
        session,
        page=page,
        limit=limit,
        status=status,
        model_id=model_id,
        dataset_id=dataset_id,
        sort_by=sort_by,
        order=order,
    )
    return RowPage(_read_all(session, rows.items), rows.page, rows.limit, rows.total)


def read_activation(session: Session, activation_id: UUID) -> ActivationRead:
    return _read_all(session, [require_activation(session, activation_id)])[0]


def delete_activation(session: Session, activation_id: UUID) -> JobAccepted:
    """Queue the deletion; trainings that have ended do not need their store any more.

    Raises:
        InUse: The extraction runs, or a training or discovery reads the store.
    """
    store = require_activation(session, activation_id, lock=True)
    what = f"The activation store ({describe_store(store)})"
    refuse_if_busy(session, what, ResourceType.ACTIVATION, store.id)
    needed_by = []
    for training_id in activations.training_ids(session, store.id):
        training = trainings.get(session, training_id)
        if training is not None and training.status not in _ENDED:
            needed_by.append(("training", training_id, training.name or str(training_id)))
        refuse_if_busy(session, what, ResourceType.TRAINING, training_id)
    refuse_if_needed(what, needed_by)
    job = job_service.create_job(
        session, JobKind.ACTIVATION_DELETE, ResourceType.ACTIVATION, store.id, {}
    )
    return accepted(job)


def _read_all(session: Session, rows: Sequence[Activation]) -> list[ActivationRead]:
    jobs = summaries(session, ResourceType.ACTIVATION, [row.id for row in rows])
    model_names = models.names(session, [row.model_id for row in rows])
    dataset_names = datasets.names(session, [row.dataset_id for row in rows])
    return [
        ActivationRead(
            id=row.id,
            model_id=row.model_id,
            dataset_id=row.dataset_id,
            tokenization_id=row.tokenization_id,
            model_name=model_names[row.model_id],
            dataset_name=dataset_names[row.dataset_id],
            layers=row.layers,
            hook_types=row.hook_types,
            config=row.config,
            status=row.status,
            progress=shown_progress(
                row.status is ActivationStatus.READY, jobs.get(row.id), row.progress
            ),
            n_tokens=row.n_tokens,
            size_bytes=row.size_bytes,
            error_message=row.error_message,
            metadata=row.metadata_,
            created_at=row.created_at,
            job=jobs.get(row.id),
        )
        for row in rows
    ]
