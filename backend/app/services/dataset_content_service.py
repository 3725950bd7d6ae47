"""What is in a dataset: samples and statistics."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.errors import NotReady
from app.core.paths import dataset_documents, safe_join
from app.db.models import Tokenization
from app.db.repositories import datasets
from app.db.repositories.base import RowPage
from app.schemas.dataset import DatasetSample, DatasetStats, LengthBucket
from app.services import cache
from app.services.corpora.store import CorpusReader
from app.services.lookup import require_ready_dataset

# A page of samples is for reading; the length beside the text is that of the whole document.
SHOWN_CHARACTERS = 10_000


def list_samples(
    session: Session,
    settings: Settings,
    dataset_id: UUID,
    *,
    page: int,
    limit: int,
    search: str | None = None,
) -> RowPage[DatasetSample]:
    """A page of documents in corpus order.

    With ``search``, those that hold the text; the scan ends at 1,000 documents or 128 MiB, so
    ``total`` counts what was found up to there.
    """
    dataset = require_ready_dataset(session, dataset_id)
    reader = CorpusReader(safe_join(settings.data_root, dataset_documents(dataset.id)).parent)
    first = (page - 1) * limit
    if search:
        found = reader.search(search).indices
        indices, total = found[first : first + limit], len(found)
    else:
        total = len(reader)
        indices = list(range(min(first, total), min(first + limit, total)))
    documents = reader.read(indices)
    items = [
        DatasetSample(
            index=index,
            title=document.title,
            text=document.text[:SHOWN_CHARACTERS],
            n_characters=len(document.text),
        )
        for index, document in zip(indices, documents, strict=True)
    ]
    return RowPage(items, page, limit, total)


def read_stats(session: Session, dataset_id: UUID) -> DatasetStats:
    """Lengths in characters, measured at import, and in tokens of the latest tokenisation."""
    return cache.remembered(
        f"statistics:{dataset_id}",
        cache.DATASET_STATISTICS_KEPT,
        DatasetStats,
        lambda: _read_stats(session, dataset_id),
    )


def _read_stats(session: Session, dataset_id: UUID) -> DatasetStats:
    dataset = require_ready_dataset(session, dataset_id)
    measured = dataset.metadata_.get("statistics")
    if measured is None:
        raise NotReady(
            "This dataset was not measured at its import. Delete it and import it again.",
            details={"dataset_id": str(dataset_id)},
        )
    stats = DatasetStats(
        **measured,
        tokenization_id=None,
        n_tokens=None,
        mean_tokens=None,
        unique_tokens=None,
        token_histogram=None,
        n_train_documents=None,
        n_held_out_documents=None,
    )
    ready = [row for row in datasets.list_tokenizations(session, dataset.id) if row.n_tokens]
    return _with_tokens(stats, ready[0]) if ready else stats


def _with_tokens(stats: DatasetStats, tokenization: Tokenization) -> DatasetStats:
    summary = tokenization.metadata_
    return stats.model_copy(
        update={
            "tokenization_id": tokenization.id,
            "n_tokens": summary["n_tokens"],
            "mean_tokens": summary["mean_length"],
            "unique_tokens": summary["vocabulary_used"],
            "token_histogram": _histogram(summary["lengths"]),
            "n_train_documents": summary["n_documents"] - summary["n_heldout_documents"],
            "n_held_out_documents": summary["n_heldout_documents"],
        }
    )


def _histogram(lengths: list[dict[str, int | None]]) -> list[LengthBucket]:
    """Counts per upper bound, as the core gives them, with the lower bounds added."""
    buckets, lower = [], 0
    for entry in lengths:
        upper = entry["up_to"]
        buckets.append(LengthBucket(lower=lower, upper=upper, count=entry["count"] or 0))
        lower = upper or lower
    return buckets
