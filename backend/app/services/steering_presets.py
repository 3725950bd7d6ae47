"""Steering presets: features and strengths under a name, for the training they come from."""

from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.db.models import SteeringPreset, Training
from app.db.repositories import features, steering_runs, templates
from app.db.repositories.base import lock_until_commit
from app.ml.configs import SteeringConfig
from app.schemas.steering_run import PresetRead, PresetWrite
from app.schemas.template import BundledPreset
from app.services.activation_service import check_hook_types, check_layers
from app.services.lookup import (
    FeatureNotFound,
    require_feature,
    require_model,
    require_training,
)
from app.services.ml_settings import build_config, refuse_field
from app.services.versions import require_match


class PresetNotFound(NotFound):
    pass


class PresetNameTaken(Conflict):
    pass


def list_presets(session: Session, training_id: UUID | None) -> list[PresetRead]:
    """
    Raises:
        TrainingNotFound: There is no such training.
    """
    if training_id is not None:
        require_training(session, training_id)
    rows = steering_runs.list_presets(session, training_id)
    return [PresetRead.model_validate(row) for row in rows]


def read_preset(session: Session, preset_id: UUID) -> PresetRead:
    return PresetRead.model_validate(_require(session, preset_id))


def create_preset(session: Session, request: PresetWrite) -> PresetRead:
    """
    Raises:
        PresetNameTaken: The training has one of this name.
        FeatureNotFound: A feature does not exist or belongs to another training.
        LayerNotFound: The model has no such layer or place.
        ValidationFailed: Settings that no generation can have together.
    """
    row = SteeringPreset(**_values(session, request, None))
    session.add(row)
    session.flush()
    return PresetRead.model_validate(row)


def replace_preset(
    session: Session, preset_id: UUID, request: PresetWrite, if_match: str | None
) -> PresetRead:
    """Write a preset anew; the same values a second time change nothing."""
    row = _require(session, preset_id, lock=True)
    require_match(PresetRead.model_validate(row), if_match)
    for name, value in _values(session, request, row).items():
        setattr(row, name, value)
    if session.is_modified(row):
        row.updated_at = func.now()
    session.flush()
    return PresetRead.model_validate(row)


def delete_preset(session: Session, preset_id: UUID, if_match: str | None) -> PresetRead:
    """Delete a preset; what was deleted is answered, so that it can be created again."""
    row = _require(session, preset_id, lock=True)
    deleted = PresetRead.model_validate(row)
    require_match(deleted, if_match)
    session.delete(row)
    session.flush()
    return deleted


def _require(session: Session, preset_id: UUID, *, lock: bool = False) -> SteeringPreset:
    row = steering_runs.get_preset(session, preset_id, lock=lock)
    if row is None:
        raise PresetNotFound(
            "This steering preset does not exist; it may have been deleted.",
            details={"preset_id": str(preset_id)},
        )
    return row


def _values(session: Session, request: PresetWrite, row: SteeringPreset | None) -> dict[str, Any]:
    training = require_training(session, request.training_id)
    model = require_model(session, training.model_id)
    own = [(f.layer, f.hook_type) for f in request.features]
    check_layers(model, [request.intervention_layer, *(n for n, _ in own if n is not None)])
    check_hook_types(model, [name for _, name in own if name is not None])
    settings = check_settings(request)
    ids = [feature.feature_id for feature in request.features]
    if len(set(ids)) != len(ids):
        refuse_field("features", "name the same feature twice", ids)
    there = {f.id for f in features.get_many(session, ids) if f.training_id == training.id}
    if missing := sorted(set(ids) - there):
        raise FeatureNotFound(
            f'Feature {missing[0]} is none of the training "{training.name}".',
            details={"feature_ids": missing},
        )
    if request.condition is not None:
        _check_condition(session, request.condition.feature_id, training)
    values = request.model_dump()
    return values | {"name": _free_name(session, request, row), "settings": settings}


def check_settings(preset: PresetWrite | BundledPreset) -> dict[str, Any]:
    """The settings as they are kept: JSON, with every default written out.

    Raises:
        ValidationFailed: Settings that no generation can have together.
    """
    settings: dict[str, Any] = preset.settings.model_dump(mode="json")
    generated = {name: value for name, value in settings.items() if name != "force"}
    # Any prompt stands for those that the preset will be tried on.
    build_config(SteeringConfig, generated | {"prompt": "."}, prefix="settings.")
    return settings


def _check_condition(session: Session, feature_id: int, training: Training) -> None:
    feature = require_feature(session, feature_id)
    if require_training(session, feature.training_id).model_id != training.model_id:
        refuse_field("condition", f"{feature_id} is a feature of another model", feature_id)


def _free_name(session: Session, request: PresetWrite, row: SteeringPreset | None) -> str:
    name = request.name.strip()
    if not name:
        refuse_field("name", "must not be empty", "")
    lock_until_commit(session, "steering_presets.name")
    existing = templates.find_preset(session, request.training_id, name)
    if existing is not None and existing is not row:
        raise PresetNameTaken(
            f'There is a preset "{existing.name}" of this training already. Choose another name.',
            details={"field": "name", "value": name, "preset_id": str(existing.id)},
        )
    return name
