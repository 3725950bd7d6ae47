"""Imports and downloads of datasets; nothing here loads torch."""

from functools import partial
from pathlib import Path
from typing import Any

from app.core.paths import dataset_documents, safe_join
from app.services import import_paths
from app.services.corpora.document import Corpus, Progress
from app.services.corpora.local_files import LocalFiles, list_files
from app.services.corpora.python_docs import PythonDocs
from app.services.corpora.store import CorpusSummary, write_corpus
from app.services.dataset_records import record_import
from app.services.hub.dataset_stream import HubDataset
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.leftovers import removed_at_the_end
from app.workers.tasks.resource import resource_id_of


def run_dataset_import(context: JobContext) -> JobOutcome:
    """Read a path, an upload or a builtin corpus into the dataset's folder."""
    payload = context.payload
    context.report(0, 0, "Looking for text")
    if payload.get("builtin"):
        return _import(context, PythonDocs(), {"builtin": payload["builtin"]})
    if payload.get("upload"):
        path = safe_join(context.data_root, payload["upload"])
        with removed_at_the_end(path.parent):
            corpus = LocalFiles(path, payload["text_column"])
            return _import(context, corpus, {"file": path.name})
    path = Path(payload["path"])
    import_paths.check_links(context.settings, list_files(path))  # they may be others by now
    return _import(context, LocalFiles(path, payload["text_column"]), {"path": str(path)})


def run_dataset_download(context: JobContext) -> JobOutcome:
    """Stream a hub dataset into the dataset's folder."""
    payload = context.payload
    context.report(0, 0, "Asking the hub")
    corpus = HubDataset(
        payload["repo_id"],
        config=payload["config"],
        split=payload["split"],
        text_column=payload["text_column"],
        token=context.token.take(),
        cache=context.data_root / "cache" / "hub",
    )
    origin = {"repo_id": payload["repo_id"], "config": payload["config"], "split": corpus.split}
    return _import(context, corpus, origin)


def _import(context: JobContext, corpus: Corpus, origin: dict[str, Any]) -> JobOutcome:
    dataset_id = resource_id_of(context)
    limit = context.payload.get("max_documents")
    summary = write_corpus(
        corpus,
        context.data_root / dataset_documents(dataset_id).parent,
        max_documents=limit,
        on_progress=partial(_report, context, limit),
    )
    context.transaction(
        partial(record_import, dataset_id=dataset_id, summary=summary, origin=origin)
    )
    return JobOutcome(result=_figures(summary))


def _report(context: JobContext, limit: int | None, progress: Progress, n_documents: int) -> None:
    context.raise_if_stopped()
    message = f"Reading text: {n_documents:,} documents"
    by_source = progress.done / progress.total if progress.total else 0.0
    if limit is not None and n_documents / limit >= by_source:
        context.report(n_documents, limit, message, unit="documents")
    else:
        context.report(progress.done, progress.total, message)


def _figures(summary: CorpusSummary) -> dict[str, Any]:
    statistics = summary.statistics
    return {key: statistics[key] for key in ("n_documents", "n_characters")}
