"""Which activation store, layer and hook type a training reads."""

from sqlalchemy.orm import Session

from app.core.errors import NotReady
from app.db.models import Activation, LanguageModel
from app.db.repositories import activations
from app.ml.configs import input_hook_type, target_hook_type
from app.schemas.training import TrainingCreate
from app.services.activation_service import LayerNotFound, check_layers
from app.services.lookup import require_ready_activation
from app.services.ml_settings import refuse_field


def choose_store(session: Session, model: LanguageModel, request: TrainingCreate) -> Activation:
    """The named store, or the newest that holds what the request wants.

    Raises:
        NotReady: It is not ready, or there is none.
        LayerNotFound: The model lacks the layer, or the store the hook type.
        ValidationFailed: The named store is of something else.
    """
    wanted = _hook_types(request)
    if request.activation_id is not None:
        store = require_ready_activation(session, request.activation_id)
        if (store.model_id, store.dataset_id) != (request.model_id, request.dataset_id):
            refuse_field(
                "activation_id", "is of another model or dataset", str(request.activation_id)
            )
        require_hook_types(store, request)
        return store
    if request.layer is not None:
        check_layers(model, [request.layer])
    found = activations.list_ready(session, request.model_id, request.dataset_id)
    fitting = [
        store
        for store in found
        if set(wanted) <= set(store.hook_types)
        and (request.layer is None or request.layer in store.layers)
    ]
    if not fitting:
        where = "" if request.layer is None else f" at layer {request.layer}"
        raise NotReady(
            f"There are no activations of {model.name}{where} ({' and '.join(wanted)}) on this "
            f"dataset yet. Extract them first{_together(wanted)}.",
            details={"layer": request.layer, "hook_types": wanted},
        )
    return require_ready_activation(session, fitting[0].id)


def require_hook_types(store: Activation, request: TrainingCreate) -> None:
    """
    Raises:
        LayerNotFound: The store does not hold all that the request wants.
    """
    wanted = _hook_types(request)
    missing = [hook_type for hook_type in wanted if hook_type not in store.hook_types]
    if missing:
        raise LayerNotFound(
            f"The activation store holds no {' and no '.join(map(repr, missing))}. It holds: "
            f"{', '.join(store.hook_types)}. Extract {' and '.join(wanted)}{_together(wanted)}.",
            details={"field": "hook_type", "value": missing[0], "choices": store.hook_types},
        )


def _together(wanted: list[str]) -> str:
    return ", together in one store" if len(wanted) > 1 else ""


def choose_layer(store: Activation, wanted: int | None) -> int:
    """The wanted layer, or the store's only one."""
    held = ", ".join(str(layer) for layer in store.layers)
    if wanted is None:
        if len(store.layers) > 1:
            refuse_field("layer", f"must be one of the store's layers: {held}", None)
        return store.layers[0]
    if wanted not in store.layers:
        raise LayerNotFound(
            f"The activation store holds no layer {wanted}. It holds: {held}.",
            details={"field": "layer", "value": wanted, "choices": store.layers},
        )
    return wanted


def _hook_types(request: TrainingCreate) -> list[str]:
    """The places that must lie in one store: what is read and what is written."""
    read = input_hook_type(request.encoder_type, request.hook_type)
    written = target_hook_type(request.encoder_type, read)
    return [read] if written == read else [read, written]
