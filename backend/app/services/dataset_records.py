"""What the jobs of a dataset write about it when they are done."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.paths import dataset_documents
from app.db.repositories import datasets
from app.services.corpora.store import CorpusSummary
from app.services.lookup import require_dataset


def record_import(
    session: Session, dataset_id: UUID, summary: CorpusSummary, origin: dict[str, Any]
) -> None:
    """Keep where the corpus lies and its statistics.

    Args:
        session: Open session.
        dataset_id: The dataset.
        summary: Of the written corpus.
        origin: Where it came from (path, builtin, split, …), shown beside it.
    """
    dataset = require_dataset(session, dataset_id, lock=True)
    dataset.file_path = str(dataset_documents(dataset_id))
    dataset.size_bytes = summary.size_bytes
    dataset.metadata_ = {
        "n_documents": summary.statistics["n_documents"],
        "statistics": summary.statistics,
        "origin": origin,
    }
    session.flush()


def record_tokenization(session: Session, tokenization_id: UUID, summary: dict[str, Any]) -> None:
    """Keep the figures of a tokenisation; ``summary`` is the core's, as JSON."""
    row = datasets.get_tokenization(session, tokenization_id, lock=True)
    if row is None:
        return
    row.n_tokens = summary["n_tokens"]
    row.n_documents = summary["n_documents"]
    row.metadata_ = summary
    session.flush()
