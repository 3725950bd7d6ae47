"""Imports and downloads of language models."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from app.core.paths import model_dir
from app.ml.language_models import import_language_model
from app.ml.records import ModelCard, to_json
from app.services.corpora.document import Progress
from app.services.hub.model_files import download_model_files, list_model_files
from app.services.model_records import record_card
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.leftovers import removed_at_the_end
from app.workers.tasks.reporting import reporter
from app.workers.tasks.resource import resource_id_of

# Fetching takes most of the time; the rest is writing the weights in one format.
DOWNLOAD_SHARE = 0.9


def run_model_import(context: JobContext) -> JobOutcome:
    """Bring a folder or GGUF file of this machine into the model's folder."""
    path = Path(context.payload["path"])
    return _import(context, path, {"path": str(path)})


def run_model_download(context: JobContext) -> JobOutcome:
    """Fetch a model's files from the hub, then import them."""
    repo_id = context.payload["repo_id"]
    token = context.token.take()
    context.report(0, 0, "Asking the hub")
    commit, files = list_model_files(repo_id, context.payload["revision"], token)
    folder = context.data_root / "cache" / f"download-{context.job_id}"
    with removed_at_the_end(folder):
        download_model_files(repo_id, commit, files, folder, token, partial(_report, context))
        origin = {"repo_id": repo_id, "revision": commit}
        return _import(context, folder, origin, start=DOWNLOAD_SHARE)


def _report(context: JobContext, progress: Progress) -> None:
    context.raise_if_stopped()
    megabytes = f"{progress.done / 1e6:,.0f} of {progress.total / 1e6:,.0f} MB"
    total = progress.total / DOWNLOAD_SHARE
    context.report(progress.done, total, f"Downloading: {megabytes}")


def _import(
    context: JobContext, source: Path, origin: dict[str, Any], *, start: float = 0.0
) -> JobOutcome:
    model_id: UUID = resource_id_of(context)
    card: ModelCard = import_language_model(
        source,
        context.data_root / model_dir(model_id),
        reporter(context, start=start),
        quantization=context.payload.get("quantization", "FP16"),
    )
    figures = to_json(card)
    context.transaction(partial(record_card, model_id=model_id, card=figures, origin=origin))
    return JobOutcome(result={"architecture": card.architecture, "params_count": card.params_count})
