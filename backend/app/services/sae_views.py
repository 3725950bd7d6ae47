"""Dictionaries as the API shows them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.core.enums import JobKind, ResourceType, SaeSource
from app.db.models import Checkpoint, LanguageModel, Training
from app.db.repositories import dictionaries, features, models
from app.ml.configs import TrainingHyperparameters, target_hook_type, width_of
from app.ml.configs.training import K_ACTIVATIONS
from app.schemas.sae import ParityReport, SaeRead
from app.services.checkpoint_quality import best_of, quality_of
from app.services.job_summaries import summaries
from app.services.training_runs import runs_of

EXPORT_PARITY = "export_parity"


def read_all(session: Session, rows: Sequence[Training]) -> list[SaeRead]:
    ids = [row.id for row in rows]
    runs = runs_of(session, ids)
    imports = summaries(session, ResourceType.TRAINING, ids, kind=JobKind.SAE_IMPORT)
    checkpoints = dictionaries.checkpoints_of(session, ids)
    counts = features.count_by_training(session, ids)
    known = models.get_many(session, [row.model_id for row in rows])
    jobs = runs | imports
    return [
        SaeRead(
            id=row.id,
            name=row.name or str(row.id),
            source=row.source,
            model_id=row.model_id,
            model_name=known[row.model_id].name,
            dataset_id=row.dataset_id,
            **_shape(row, known[row.model_id]),
            status=row.status,
            error_message=row.error_message,
            **_checkpoint(checkpoints.get(row.id, [])),
            origin=_origin(row),
            import_parity=_parity((row.origin or {}).get("parity")),
            n_features=counts.get(row.id, 0),
            created_at=row.created_at,
            job=jobs.get(row.id),
        )
        for row in rows
    ]


def n_latents_of(row: Training, model: LanguageModel) -> int | None:
    """Number of latents; None for an import that has not read its files."""
    if not row.hyperparameters:
        return None
    config = TrainingHyperparameters.from_dict(row.hyperparameters)
    return config.latents(width_of(model.metadata_, row.hook_type))


def _shape(row: Training, model: LanguageModel) -> dict[str, Any]:
    names = ("layer", "hook_type", "target_hook_type", "encoder_type", "activation", "k")
    if not row.hyperparameters:
        return dict.fromkeys((*names, "n_latents"))
    config = TrainingHyperparameters.from_dict(row.hyperparameters)
    return {
        "layer": row.layer,
        "hook_type": row.hook_type,
        "target_hook_type": target_hook_type(row.encoder_type, row.hook_type),
        "encoder_type": row.encoder_type,
        "activation": config.activation,
        "k": _k_of(row, config, width_of(model.metadata_, row.hook_type)),
        "n_latents": n_latents_of(row, model),
    }


def _k_of(row: Training, config: TrainingHyperparameters, width: int) -> int | None:
    """Latents kept or aimed at; an imported JumpReLU dictionary has thresholds instead."""
    if config.activation not in K_ACTIVATIONS:
        return None
    return config.k if row.source is SaeSource.IMPORTED else config.resolved_k(width)


def _checkpoint(found: list[Checkpoint]) -> dict[str, Any]:
    """Figures of the latest checkpoint; ``found`` is newest first."""
    if not found:
        names = ("checkpoint_step", "best_step", "size_bytes", "explained_variance")
        return dict.fromkeys((*names, "export_parity"))
    latest = found[0]
    best = best_of(found)
    return {
        "checkpoint_step": latest.step,
        "best_step": best.step if best is not None else None,
        "size_bytes": latest.file_size_bytes,
        "explained_variance": quality_of(latest),
        "export_parity": _parity(latest.metadata_.get(EXPORT_PARITY)),
    }


def _origin(row: Training) -> dict[str, Any] | None:
    if row.origin is None:
        return None
    return {key: value for key, value in row.origin.items() if key != "parity"}


def _parity(stored: dict[str, Any] | None) -> ParityReport | None:
    return ParityReport.model_validate(stored) if stored else None
