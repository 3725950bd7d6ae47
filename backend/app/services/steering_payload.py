"""What the warm process is asked: ids, relative paths and numbers."""

from typing import Any

from sqlalchemy.orm import Session

from app.core.paths import checkpoint_dir
from app.db.models import Feature, LanguageModel, Training
from app.db.repositories import features
from app.ml.configs import READING_METHODS, UNITS_OF_METHOD, SteeringConfig
from app.schemas.steering import SteeredFeature, SteeringGenerate
from app.services.activation_service import check_layers
from app.services.feature_records import require_measured_step
from app.services.lookup import FeatureNotFound, require_ready_model, require_training
from app.services.ml_settings import build_config, refuse_field

# The core's words for the units of the API.
UNIT_NAMES = {
    "max_multiple": "max",
    "activation": "activation",
    "norm_fraction": "norm",
    "kl": "kl",
}
_OWN_FIELDS = {"model_id", "features", "intervention_layer", "run_id"}


def make_payload(session: Session, request: SteeringGenerate) -> dict[str, Any]:
    """Check a request and describe it for the warm process.

    Raises:
        NotReady: The model is not ready, or a feature's checkpoint is gone.
        FeatureNotFound: One of the features does not exist.
        LayerNotFound: The model has no such layer.
        ValidationFailed: Features of another model or without any activation; empty prompt; a
            method and a unit that do not go together.
    """
    model = require_ready_model(session, request.model_id)
    config = build_config(SteeringConfig, request.model_dump(exclude=_OWN_FIELDS))
    edits = make_edits(session, model, request.features, request.intervention_layer)
    return {
        "model_id": str(model.id),
        "memory_bytes": model.memory_req_bytes or 0,
        "config": config.to_dict(),
        "edits": edits,
    }


def make_edits(
    session: Session,
    model: LanguageModel,
    wanted: list[SteeredFeature],
    intervention_layer: int | None,
) -> list[dict[str, Any]]:
    """Check the features of a request and describe what is done with each."""
    layers = [layer for f in wanted if (layer := f.layer) is not None]
    check_layers(model, layers + ([] if intervention_layer is None else [intervention_layer]))
    found = _require_features(session, wanted)
    return [
        _edit(session, model, feature, row, intervention_layer)
        for feature, row in zip(wanted, found, strict=True)
    ]


def _require_features(session: Session, wanted: list[SteeredFeature]) -> list[Feature]:
    ids = [feature.id for feature in wanted]
    if len(set(ids)) != len(ids):
        refuse_field("features", "name the same feature twice", ids)
    found = features.get_many(session, ids)
    missing = sorted(set(ids) - {feature.id for feature in found})
    if missing:
        raise FeatureNotFound(
            f"Feature {missing[0]} does not exist; its training may have been deleted.",
            details={"feature_ids": missing},
        )
    return found


def _edit(
    session: Session,
    model: LanguageModel,
    wanted: SteeredFeature,
    feature: Feature,
    layer: int | None,
) -> dict[str, Any]:
    training = require_training(session, feature.training_id)
    if training.model_id != model.id:
        refuse_field("features", f"{feature.id} is a feature of another model", feature.id)
    at_layer = wanted.layer if wanted.layer is not None else layer
    at_layer = training.layer if at_layer is None else at_layer
    _check_method(wanted, feature, training.layer, at_layer)
    return {
        "id": feature.id,
        "neuron_index": feature.neuron_index,
        "name": feature.name or feature.label,
        "coefficient": wanted.coefficient,
        "unit": wanted.unit,
        "method": wanted.method,
        "only_active": wanted.only_active,
        "max_activation": feature.max_activation,
        "layer": training.layer,
        "at_layer": at_layer,
        "hook_type": training.hook_type,
        "sae_path": _sae_path(session, training, feature),
    }


def _check_method(wanted: SteeredFeature, feature: Feature, own: int, at_layer: int) -> None:
    units = UNITS_OF_METHOD.get(wanted.method)
    if units is not None and UNIT_NAMES[wanted.unit] not in units:
        known = ", ".join(name for name, unit in UNIT_NAMES.items() if unit in units)
        refuse_field(
            "features", f'"{wanted.method}" has no unit "{wanted.unit}"; choose {known}', feature.id
        )
    if units is not None and wanted.unit == "max_multiple" and not feature.max_activation:
        refuse_field(
            "features",
            f'{feature.id} never fired, so it has no largest activation; use the unit "activation"',
            feature.id,
        )
    if wanted.unit == "kl" and wanted.method == "add" and wanted.coefficient == 0:
        refuse_field("features", "a KL target must not be 0; its sign says which way", feature.id)
    if at_layer != own and (wanted.method in READING_METHODS or wanted.only_active):
        refuse_field(
            "features",
            f'"{wanted.method}" reads feature {feature.id}, which exists only at layer {own}; '
            'steer there, or use "add" or "project" at another layer',
            feature.id,
        )


def _sae_path(session: Session, training: Training, feature: Feature) -> str:
    step = feature.metadata_.get("checkpoint_step")
    return str(checkpoint_dir(training.id, require_measured_step(session, training, step)))
