"""What the warm process is asked: ids, relative paths and numbers."""

from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import NotReady
from app.core.paths import checkpoint_dir
from app.db.models import Feature, LanguageModel, Training
from app.db.repositories import features, trainings
from app.ml.configs import SteeringConfig
from app.schemas.steering import SteeredFeature, SteeringGenerate
from app.services.activation_service import check_layers
from app.services.lookup import FeatureNotFound, require_ready_model, require_training
from app.services.ml_settings import build_config, refuse_field


def make_payload(session: Session, request: SteeringGenerate) -> dict[str, Any]:
    """Check a request and describe it for the warm process.

    Raises:
        NotReady: The model is not ready, or a feature's checkpoint is gone.
        FeatureNotFound: One of the features does not exist.
        LayerNotFound: The model has no such layer.
        ValidationFailed: Features of another model or without any activation; empty prompt.
    """
    model = require_ready_model(session, request.model_id)
    own = {"model_id", "features", "intervention_layer"}
    config = build_config(SteeringConfig, request.model_dump(exclude=own))
    if request.intervention_layer is not None:
        check_layers(model, [request.intervention_layer])
    edits = [
        _edit(session, model, wanted, feature, request.intervention_layer)
        for wanted, feature in zip(
            request.features, _require_features(session, request.features), strict=True
        )
    ]
    return {
        "model_id": str(model.id),
        "memory_bytes": model.memory_req_bytes or 0,
        "config": config.to_dict(),
        "edits": edits,
    }


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
    if wanted.unit == "max_multiple" and not feature.max_activation:
        refuse_field(
            "features", f"{feature.id} never fired, so it has no largest activation", feature.id
        )
    return {
        "id": feature.id,
        "neuron_index": feature.neuron_index,
        "name": feature.name or feature.metadata_.get("label") or None,
        "coefficient": wanted.coefficient,
        "unit": wanted.unit,
        "max_activation": feature.max_activation,
        "layer": training.layer if layer is None else layer,
        "hook_type": training.hook_type,
        "sae_path": _sae_path(session, training, feature),
    }


def _sae_path(session: Session, training: Training, feature: Feature) -> str:
    """The checkpoint that the feature was measured on; no other has the same latents."""
    step = feature.metadata_.get("checkpoint_step")
    steps = [row.step for row in trainings.list_checkpoints(session, training.id)]
    if step not in steps:
        raise NotReady(
            f'The checkpoint that the features of "{training.name}" come from is gone. Discover '
            "its features again.",
            details={"training_id": str(training.id), "checkpoint_step": step},
        )
    return str(checkpoint_dir(training.id, step))
