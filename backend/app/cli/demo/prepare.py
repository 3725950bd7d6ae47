"""The first steps: a language model, a corpus, tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.cli.console import format_bytes
from app.cli.demo.api import Api
from app.cli.demo.display import already_there, running_step
from app.cli.demo.jobs import follow, unfinished
from app.cli.demo.options import BUILTIN_CORPUS, WINDOW_TOKENS, DemoOptions

Resource = dict[str, Any]
Order = tuple[str, dict[str, Any]]
# Of a hub corpus only the beginning is taken: TinyStories alone has 2 million documents.
HUB_DOCUMENTS = 40_000
# A mixture of all installed packages (their order is that of a hash), about 2 million tokens:
# more than the demo has time to read.
BUILTIN_DOCUMENTS = 1_500


@dataclass
class Wanted:
    """A resource that the demo needs: there already, on its way, or to be ordered."""

    title: str
    path: str
    describe: Callable[[Resource], str]
    order: Order
    found: Resource | None

    def begin(self, api: Api) -> None:
        """Order it, unless it is there or on its way; what failed before is removed first."""
        if self._is_ready() or (self.found and unfinished(self.found["job"])):
            return
        if self.found is not None:
            with running_step(self.title) as step:
                follow(api, api.delete(f"{self.path}/{self.found['id']}")["job_id"], step)
        accepted = api.post(*self.order)
        self.found = api.get(f"{self.path}/{accepted['resource_id']}")

    def finish(self, api: Api) -> Resource:
        """The resource once it is ready."""
        resource = self.found or {}
        if self._is_ready():
            already_there(self.title, self.describe(resource))
            return resource
        with running_step(self.title) as step:
            if (job_id := unfinished(resource["job"])) is not None:
                follow(api, job_id, step)
            ready: Resource = api.get(f"{self.path}/{resource['id']}")
            step.figures = self.describe(ready)
        return ready

    def _is_ready(self) -> bool:
        return self.found is not None and self.found["status"] == "ready"


def get_inputs(api: Api, options: DemoOptions) -> tuple[Resource, Resource]:
    """The language model and the corpus, obtained side by side."""
    model, dataset = wanted_model(api, options), wanted_dataset(api, options)
    model.begin(api)
    dataset.begin(api)
    return model.finish(api), dataset.finish(api)


def wanted_model(api: Api, options: DemoOptions) -> Wanted:
    """The demo's language model: a file or folder of this machine, or a name of the hub."""
    local = options.model_path()
    if local is not None:
        name = local.name.removesuffix(".gguf").split(".")[0]
        order: Order = ("/models/import", {"path": str(local), "name": name})
        found = _find(api.list("/models"), name=name)
    else:
        order = ("/models/download", {"repo_id": options.model})
        found = _find(api.list("/models"), repo_id=str(options.model))
    return Wanted("Language model", "/models", _describe_model, order, found)


def wanted_dataset(api: Api, options: DemoOptions) -> Wanted:
    """The demo's corpus: built in, a path of this machine, or a name of the hub."""
    local = options.dataset_path()
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
    return Wanted("Corpus", "/datasets", _describe_dataset, order, found)


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


def _find(items: Any, **wanted: str) -> Resource | None:
    key, value = next(iter(wanted.items()))
    return next((item for item in items if item[key] == value), None)


def _describe_model(model: Resource) -> str:
    parameters = f"{model['params_count'] / 1e6:.0f} M parameters"
    return f"{model['name']}, {parameters}, {model['n_layers']} layers"


def _describe_dataset(dataset: Resource) -> str:
    size = format_bytes(dataset["size_bytes"])
    return f"{dataset['name']}, {dataset['n_documents']:,} documents, {size}"
