"""Training and extraction templates: from request bodies to rows."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import EncoderType
from app.ml.configs import TrainingHyperparameters, encoder_type_problems
from app.schemas.template import (
    ExtractionTemplatePatch,
    ExtractionTemplateRead,
    ExtractionTemplateWrite,
    TrainingTemplatePatch,
    TrainingTemplateRead,
    TrainingTemplateWrite,
)
from app.services import template_rows
from app.services.lookup import require_dataset, require_model
from app.services.ml_settings import build_config, refuse
from app.services.template_rows import EXTRACTION, TRAINING

# Columns that may be emptied by a null in a PATCH.
_NULLABLE = frozenset(
    {"description", "model_id", "dataset_id", "layers", "hook_types", "max_samples",
     "top_k_examples"}
)  # fmt: skip


def create_training_template(
    session: Session, request: TrainingTemplateWrite
) -> TrainingTemplateRead:
    """
    Raises:
        TemplateNameTaken: There is one of this name.
        ValidationFailed: Hyperparameters that do not exist together.
        NotFound: The model or the dataset does not exist.
    """
    return template_rows.create(session, TRAINING, training_values(session, request.model_dump()))


def replace_training_template(
    session: Session, template_id: UUID, request: TrainingTemplateWrite, if_match: str | None
) -> TrainingTemplateRead:
    values = training_values(session, request.model_dump())
    return template_rows.change(session, TRAINING, template_id, values, if_match)


def patch_training_template(
    session: Session, template_id: UUID, request: TrainingTemplatePatch, if_match: str | None
) -> TrainingTemplateRead:
    values = training_values(session, _given(request.model_dump(exclude_unset=True)))
    return template_rows.change(session, TRAINING, template_id, values, if_match)


def create_extraction_template(
    session: Session, request: ExtractionTemplateWrite
) -> ExtractionTemplateRead:
    """
    Raises:
        TemplateNameTaken: There is one of this name.
        ValidationFailed: A layer or a hook type is named twice.
    """
    return template_rows.create(session, EXTRACTION, extraction_values(request.model_dump()))


def replace_extraction_template(
    session: Session, template_id: UUID, request: ExtractionTemplateWrite, if_match: str | None
) -> ExtractionTemplateRead:
    values = extraction_values(request.model_dump())
    return template_rows.change(session, EXTRACTION, template_id, values, if_match)


def patch_extraction_template(
    session: Session, template_id: UUID, request: ExtractionTemplatePatch, if_match: str | None
) -> ExtractionTemplateRead:
    values = extraction_values(_given(request.model_dump(exclude_unset=True)))
    return template_rows.change(session, EXTRACTION, template_id, values, if_match)


def training_values(session: Session, values: dict[str, Any]) -> dict[str, Any]:
    """Columns of a training template, checked; all hyperparameters are written out."""
    if values.get("model_id") is not None:
        require_model(session, values["model_id"])
    if values.get("dataset_id") is not None:
        require_dataset(session, values["dataset_id"])
    if "encoder_type" in values:
        refuse(encoder_type_problems(EncoderType(values["encoder_type"])))
    if "hyperparameters" in values:
        given = values["hyperparameters"]
        config = build_config(TrainingHyperparameters, given, prefix="hyperparameters.")
        values["hyperparameters"] = config.to_dict()
    return values


def extraction_values(values: dict[str, Any]) -> dict[str, Any]:
    """Columns of an extraction template, checked."""
    for name in ("layers", "hook_types"):
        if values.get(name) == []:
            values[name] = None
    return values


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """What a PATCH changes; null empties what may be empty and else means "leave it"."""
    return {name: value for name, value in values.items() if value is not None or name in _NULLABLE}
