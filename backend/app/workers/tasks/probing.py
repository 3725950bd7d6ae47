"""Features tried out in the warm process: a text, a sheet of lines, an ablation."""

from pathlib import Path
from typing import Any

from app.core.paths import safe_join
from app.ml.feature_discovery.ablation import ablate_feature
from app.ml.feature_discovery.probe import probe_text, score_sheet
from app.ml.records import to_json
from app.ml.steering.edits import written_hook_type
from app.workers.context import JobContext, JobOutcome
from app.workers.model_cache import ModelCache
from app.workers.tasks.reporting import should_stop
from app.workers.tasks.steering import load_dictionary, load_model


def probe(context: JobContext, cache: ModelCache) -> JobOutcome:
    """Encode a text, or score the lines of a sheet."""
    payload = context.payload
    loaded, sae = load_model(context, cache), load_dictionary(cache, _folder(context))
    place = (payload["layer"], payload["hook_type"])
    listed = {"top_k": payload["top_k"], "features": payload["features"]}
    answer: dict[str, Any] = {
        "tokens": [],
        "token_ids": [],
        "n_firing": None,
        "firings": [],
        "classes": [],
    }
    if payload["text"] is not None:
        found = probe_text(loaded, sae, place, payload["text"], **listed)
        return JobOutcome(result=answer | to_json(found))
    lines = [(line["text"], line["expected"]) for line in payload["lines"]]
    classes = score_sheet(loaded, sae, place, lines, should_stop(context), **listed)
    context.raise_if_stopped()
    return JobOutcome(result=answer | {"classes": [to_json(entry) for entry in classes]})


def ablate(context: JobContext, cache: ModelCache) -> JobOutcome:
    """Take a feature out on its contexts."""
    payload, folder = context.payload, _folder(context)
    loaded, sae = load_model(context, cache), load_dictionary(cache, folder)
    read = payload["hook_type"]
    found = ablate_feature(
        loaded,
        sae,
        payload["layer"],
        (read, written_hook_type(folder) or read),
        payload["feature"],
        payload["contexts"],
        should_stop(context),
    )
    return JobOutcome(result=to_json(found))


def _folder(context: JobContext) -> Path:
    return safe_join(context.data_root, context.payload["sae_path"])
