"""Tokenising a dataset, as a job of its own or as the first phase of an extraction."""

from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.paths import dataset_documents, model_dir, tokenization_dir
from app.db.repositories import datasets
from app.ml.activation_extraction import tokenize_documents
from app.ml.configs import TokenizationConfig
from app.ml.records import to_json
from app.services.corpora.store import CorpusReader
from app.services.dataset_records import record_tokenization
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.reporting import reporter, should_stop
from app.workers.tasks.resource import resource_id_of


class TokenizationJob(NamedTuple):
    tokenization_id: UUID
    dataset_id: UUID
    model_id: UUID
    config: TokenizationConfig


def tokenize(
    context: JobContext, job: TokenizationJob, *, start: float = 0.0, end: float = 1.0
) -> dict[str, Any]:
    """Write the tokens of a row and record their figures.

    Args:
        context: The running job.
        job: Which row, and how.
        start: Share of the whole job done before.
        end: Share done after.

    Returns:
        The core's summary as JSON.
    """
    root = context.data_root
    reader = CorpusReader(root / dataset_documents(job.dataset_id).parent)
    summary = tokenize_documents(
        reader.texts(),
        root / model_dir(job.model_id),
        root / tokenization_dir(job.dataset_id, job.tokenization_id),
        job.config,
        reporter(context, start=start, end=end),
        should_stop(context),
        total_documents=len(reader),
    )
    figures = to_json(summary)
    context.transaction(
        partial(record_tokenization, tokenization_id=job.tokenization_id, summary=figures)
    )
    return figures


def run_dataset_tokenize(context: JobContext) -> JobOutcome:
    """Tokenise the dataset of a tokenisation row."""
    job = context.transaction(partial(_read_row, key=resource_id_of(context)))
    summary = tokenize(context, job)
    return JobOutcome(result={"n_tokens": summary["n_tokens"]})


def _read_row(session: Session, key: UUID) -> TokenizationJob:
    row = datasets.get_tokenization(session, key)
    if row is None:
        raise LookupError(f"tokenization {key} is gone")
    config = TokenizationConfig.from_dict(row.config)
    return TokenizationJob(row.id, row.dataset_id, row.model_id, config)
