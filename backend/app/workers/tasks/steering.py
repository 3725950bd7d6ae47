"""Steered generation in the warm process, which keeps models and directions between jobs."""

from functools import partial
from typing import Any
from uuid import UUID

from app.core.paths import model_dir, safe_join
from app.ml.configs import SteeringConfig
from app.ml.language_models import LoadedModel, load_language_model
from app.ml.records import FeatureEdit, TokenEvent, to_json
from app.ml.steering import feature_edit, generate_comparison
from app.services.steering_figures import steering_json
from app.workers.context import JobContext, JobOutcome
from app.workers.model_cache import ModelCache
from app.workers.tasks.reporting import should_stop

# The core's words for the units of the API.
UNITS = {"max_multiple": "max", "activation": "activation", "norm_fraction": "norm"}


def handle(context: JobContext, cache: ModelCache) -> JobOutcome:
    """Generate both texts of one request."""
    payload = context.payload
    config = SteeringConfig.from_dict(payload["config"])
    context.report(0, 0, "Loading the model")
    loaded = _load_model(context, cache)
    edits = [_make_edit(context, edit) for edit in payload["edits"]]
    result = generate_comparison(
        loaded, edits, config, partial(_report, context, config), should_stop(context)
    )
    context.raise_if_stopped()
    return JobOutcome(result=steering_json(payload, to_json(result)))


def _load_model(context: JobContext, cache: ModelCache) -> LoadedModel:
    model_id = UUID(context.payload["model_id"])
    folder = context.data_root / model_dir(model_id)
    load = partial(load_language_model, folder, device=context.settings.device)
    return cache.get(("model", model_id), load, context.payload["memory_bytes"])


def _make_edit(context: JobContext, edit: dict[str, Any]) -> FeatureEdit:
    """One direction; only its row of the dictionary is read."""
    return feature_edit(
        safe_join(context.data_root, edit["sae_path"]),
        edit["neuron_index"],
        edit["layer"],
        edit["hook_type"],
        edit["coefficient"],
        UNITS[edit["unit"]],
        edit["max_activation"],
    )


def _report(context: JobContext, config: SteeringConfig, event: TokenEvent) -> None:
    context.report(event.index + 1, config.max_new_tokens, "Generating", unit="tokens")
