"""The first steps: a language model, a corpus, tokens."""

from typing import Any

from app.cli.console import format_bytes
from app.cli.demo.api import Api
from app.cli.demo.display import already_there, running_step
from app.cli.demo.jobs import follow, unfinished
from app.cli.demo.options import BUILTIN_CORPUS, DemoOptions

Resource = dict[str, Any]
Order = tuple[str, dict[str, Any]]
WINDOW_TOKENS = 128
# Of a hub corpus only the beginning is taken: TinyStories alone has 2 million documents.
HUB_DOCUMENTS = 40_000
# A mixture of all installed packages (their order is that of a hash), about 2 million tokens:
# more than the demo has time to read.
BUILTIN_DOCUMENTS = 1_500


def get_model(api: Api, options: DemoOptions) -> Resource:
    """The demo's language model, imported or downloaded unless it is there."""
    title, local = "Language model", options.model_path()
    if local is not None:
        name = local.name.removesuffix(".gguf").split(".")[0]
        order: Order = ("/models/import", {"path": str(local), "name": name})
        found = _find(api.list("/models"), name=name)
    else:
        order = ("/models/download", {"repo_id": options.model})
        found = _find(api.list("/models"), repo_id=str(options.model))
    return _obtain(api, title, "/models", found, order)


def get_dataset(api: Api, options: DemoOptions) -> Resource:
    """The demo's corpus, imported or downloaded unless it is there."""
    title, local = "Corpus", options.dataset_path()
    if options.dataset is None:
        name = BUILTIN_CORPUS
        body: dict[str, Any] = {"builtin": name, "name": name, "max_documents": BUILTIN_DOCUMENTS}
        order: Order = ("/datasets/import", body)
        found = _find(api.list("/datasets"), name=name)
    elif local is not None:
        order = ("/datasets/import", {"path": str(local), "name": local.name})
        found = _find(api.list("/datasets"), name=local.name)
    else:
        body = {"repo_id": options.dataset, "max_documents": HUB_DOCUMENTS}
        order = ("/datasets/download", body)
        found = _find(api.list("/datasets"), repo_id=options.dataset)
    return _obtain(api, title, "/datasets", found, order)


def tokenise(api: Api, model: Resource, dataset: Resource) -> Resource:
    """The corpus in the model's tokens, all of it (the extraction spreads over it)."""
    path = f"/datasets/{dataset['id']}/tokenizations"
    title = "Tokens"
    mine = [item for item in api.get(path) if item["model_id"] == model["id"]]
    usable = [item for item in mine if item["status"] != "error"]
    if usable and usable[0]["status"] == "ready":
        already_there(title, f"{usable[0]['n_tokens']:,} tokens")
        return dict(usable[0])
    with running_step(title) as step:
        job_id = unfinished(usable[0]["job"]) if usable else None
        if job_id is None:
            body = {"model_id": model["id"], "max_length": WINDOW_TOKENS}
            job_id = api.post(f"/datasets/{dataset['id']}/tokenize", body)["job_id"]
        follow(api, job_id, step)
        mine = [item for item in api.get(path) if item["model_id"] == model["id"]]
        result = next(item for item in mine if item["status"] == "ready")
        step.figures = f"{result['n_tokens']:,} tokens in {result['n_documents']:,} documents"
    return dict(result)


def _obtain(api: Api, title: str, path: str, found: Resource | None, order: Order) -> Resource:
    """The resource once ready: as found, its running job followed, or ordered anew."""
    describe = _describe_model if path == "/models" else _describe_dataset
    if found is not None and found["status"] == "ready":
        already_there(title, describe(found))
        return found
    with running_step(title) as step:
        job_id = unfinished(found["job"]) if found else None
        resource_id = found["id"] if found else None
        if job_id is None:
            if found is not None:
                follow(api, api.delete(f"{path}/{found['id']}")["job_id"], step)
            accepted = api.post(*order)
            job_id, resource_id = accepted["job_id"], accepted["resource_id"]
        follow(api, job_id, step)
        resource: Resource = api.get(f"{path}/{resource_id}")
        step.figures = describe(resource)
    return resource


def _find(items: Any, **wanted: str) -> Resource | None:
    key, value = next(iter(wanted.items()))
    return next((item for item in items if item[key] == value), None)


def _describe_model(model: Resource) -> str:
    parameters = f"{model['params_count'] / 1e6:.0f} M parameters"
    return f"{model['name']}, {parameters}, {model['n_layers']} layers"


def _describe_dataset(dataset: Resource) -> str:
    size = format_bytes(dataset["size_bytes"])
    return f"{dataset['name']}, {dataset['n_documents']:,} documents, {size}"
