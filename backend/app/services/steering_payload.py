"""What the warm process is asked: ids, relative paths and numbers."""

from typing import Any

from sqlalchemy.orm import Session

from app.core.paths import checkpoint_dir
from app.db.models import Feature, LanguageModel, Training
from app.db.repositories import features
from app.ml.configs import (
    READING_METHODS,
    UNITS_OF_METHOD,
    SteeringConfig,
    target_hook_type,
)
from app.schemas.steering import SteeredFeature, SteeringCondition, SteeringGenerate
from app.services.activation_service import check_hook_types, check_layers
from app.services.feature_records import require_measured_step
from app.services.lookup import (
    FeatureNotFound,
    require_feature,
    require_ready_model,
    require_training,
)
from app.services.ml_settings import build_config, refuse_field

# The core's words for the units of the API.
UNIT_NAMES = {
    "max_multiple": "max",
    "activation": "activation",
    "norm_fraction": "norm",
    "kl": "kl",
}
Place = tuple[int, str]
_OWN_FIELDS = {"model_id", "features", "intervention_layer", "force", "condition", "run_id"}


def make_payload(session: Session, request: SteeringGenerate) -> dict[str, Any]:
    """Check a request and describe it for the warm process.

    Raises:
        NotReady: The model is not ready, or a feature's checkpoint is gone.
        FeatureNotFound: One of the features does not exist.
        LayerNotFound: The model has no such layer or place.
        ValidationFailed: Features of another model or without any activation; empty prompt; a
            method and a unit that do not go together; a place where a feature was not learned.
    """
    model = require_ready_model(session, request.model_id)
    config = build_config(SteeringConfig, request.model_dump(exclude=_OWN_FIELDS))
    edits = make_edits(
        session, model, request.features, request.intervention_layer, force=request.force
    )
    return {
        "model_id": str(model.id),
        "memory_bytes": model.memory_req_bytes or 0,
        "config": config.to_dict(),
        "edits": edits,
        **make_condition(session, model, request.condition, edits),
    }


def make_condition(
    session: Session,
    model: LanguageModel,
    wanted: SteeringCondition | None,
    edits: list[dict[str, Any]],
) -> dict[str, Any]:
    """Describe the condition under the key ``condition``; without one nothing is added.

    Raises:
        FeatureNotFound: Its feature does not exist.
        NotReady: The checkpoint of its feature is gone.
        ValidationFailed: It is of another model, or read after one of the edits.
    """
    if wanted is None:
        return {}
    feature = require_feature(session, wanted.feature_id)
    training = require_training(session, feature.training_id)
    if training.model_id != model.id:
        refuse_field("condition", f"{feature.id} is a feature of another model", feature.id)
    first = min(edit["at_layer"] for edit in edits)
    if training.layer > first:
        refuse_field(
            "condition",
            f"feature {feature.id} is read at layer {training.layer}, after the edit at layer "
            f"{first}, so it is not known yet when the edit is made; choose a feature of layer "
            f"{first} or earlier, or steer later",
            feature.id,
        )
    return {
        "condition": {
            "id": feature.id,
            "neuron_index": feature.neuron_index,
            "name": feature.name or feature.label,
            "threshold": wanted.threshold,
            "layer": training.layer,
            "hook_type": training.hook_type,
            "sae_path": _sae_path(session, training, feature),
        }
    }


def make_edits(
    session: Session,
    model: LanguageModel,
    wanted: list[SteeredFeature],
    intervention_layer: int | None,
    *,
    force: bool,
) -> list[dict[str, Any]]:
    """Check the features of a request and describe what is done with each."""
    layers = [layer for f in wanted if (layer := f.layer) is not None]
    check_layers(model, layers + ([] if intervention_layer is None else [intervention_layer]))
    check_hook_types(model, [name for f in wanted if (name := f.hook_type) is not None])
    found = _require_features(session, wanted)
    return [
        _edit(session, model, feature, row, intervention_layer, force=force)
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
    *,
    force: bool,
) -> dict[str, Any]:
    training = require_training(session, feature.training_id)
    if training.model_id != model.id:
        refuse_field("features", f"{feature.id} is a feature of another model", feature.id)
    at_layer = wanted.layer if wanted.layer is not None else layer
    at_layer = training.layer if at_layer is None else at_layer
    written = target_hook_type(training.encoder_type, training.hook_type)
    own, place = (training.layer, written), (at_layer, wanted.hook_type or written)
    _check_method(wanted, feature, own, place)
    _check_place(feature, own, place, force=force)
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
        "at_hook_type": place[1],
        "own_hook_type": written,
        "hook_type": training.hook_type,
        "sae_path": _sae_path(session, training, feature),
    }


def _check_place(feature: Feature, own: Place, place: Place, *, force: bool) -> None:
    """Refuse to steer where a direction was not learned, unless that is meant."""
    if place == own:
        return
    here, there = (f"{hook_type} of layer {layer}" for layer, hook_type in (own, place))
    if (own[1] == "z") is not (place[1] == "z"):
        refuse_field(
            "features",
            f"hold one of another space: #{feature.neuron_index} was learned at {here}; the heads' "
            f"outputs (z) are not of the stream, so its direction means nothing at {there}",
            feature.id,
        )
    if not force:
        refuse_field(
            "features",
            f"hold one that was learned elsewhere: #{feature.neuron_index} at {here}. At {there} "
            "its direction may mean something else; to steer there all the same, set force to true",
            feature.id,
        )


def _check_method(wanted: SteeredFeature, feature: Feature, own: Place, place: Place) -> None:
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
    if place != own and (wanted.method in READING_METHODS or wanted.only_active):
        refuse_field(
            "features",
            f'"{wanted.method}" reads feature {feature.id}, which exists only at layer {own[0]}, '
            f'{own[1]}; steer there, or use "add" or "project" elsewhere',
            feature.id,
        )


def _sae_path(session: Session, training: Training, feature: Feature) -> str:
    step = feature.metadata_.get("checkpoint_step")
    return str(checkpoint_dir(training.id, require_measured_step(session, training, step)))
