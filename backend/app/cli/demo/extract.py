"""The activations that the dictionary is trained on."""

from typing import Any

from app.cli.console import format_bytes
from app.cli.demo.api import Api
from app.cli.demo.budget import Budget, is_probe, probe_extraction
from app.cli.demo.display import already_there, running_step
from app.cli.demo.jobs import follow, unfinished
from app.cli.demo.options import DemoOptions

Resource = dict[str, Any]
_TITLE = "Activations"
# A little over a third of the way up, where features are neither words nor next-word guesses and
# the model still runs fast, because the blocks above are never computed.
_DEPTH = 0.37


def choose_layer(model: Resource, options: DemoOptions) -> int:
    """The block whose output is read; counted from 0."""
    if options.layer is not None:
        return options.layer
    return min(int(model["n_layers"]) - 1, round(_DEPTH * int(model["n_layers"])))


def extract(
    api: Api, model: Resource, tokens: Resource, options: DemoOptions, budget: Budget
) -> Resource:
    """A store of this model, corpus and layer; as large as the time allows, or ``--tokens``."""
    order = {
        "model_id": model["id"],
        "dataset_id": tokens["dataset_id"],
        "tokenization_id": tokens["id"],
        "layers": [choose_layer(model, options)],
        "hook_types": ["residual"],
    }
    store = _find_store(api, order, options)
    if store is not None and store["status"] == "ready":
        already_there(_TITLE, _describe(store))
        return store
    if store is not None and unfinished(store["job"]) is None:
        api.delete(f"/activations/{store['id']}")  # it failed; its place is needed
        store = None
    amount = options.tokens
    if store is None and amount is None:
        amount = budget.extraction_tokens(probe_extraction(api, order))
    with running_step(_TITLE) as step:
        if store is None:
            accepted = api.post("/activations/extract", {**order, "max_tokens": amount})
            job_id, store_id = accepted["job_id"], accepted["resource_id"]
        else:
            job_id, store_id = str(unfinished(store["job"])), store["id"]
        follow(api, job_id, step)
        finished: Resource = api.get(f"/activations/{store_id}")
        step.figures = _describe(finished)
    return finished


def _find_store(api: Api, order: Resource, options: DemoOptions) -> Resource | None:
    keys = ("model_id", "dataset_id", "layers", "hook_types")
    for store in api.list("/activations"):
        fits = all(store[key] == order[key] for key in keys) and not is_probe(store)
        wanted = options.tokens in {None, store["config"].get("max_tokens")}
        if fits and wanted:
            return store
    return None


def _describe(store: Resource) -> str:
    rate = (store["metadata"] or {}).get("tokens_per_second")
    speed = f" at {rate:,.0f} tokens/s" if rate else ""
    size = format_bytes(store["size_bytes"])
    return f"{store['n_tokens']:,} tokens of layer {store['layers'][0]}{speed}, {size}"
