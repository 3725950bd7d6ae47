"""Files that belong to rows."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.paths import dataset_documents, model_dir
from app.db.models import Dataset, LanguageModel
from app.services.corpora.document import Document, Progress
from app.services.corpora.store import write_corpus
from app.services.dataset_records import record_import

GLASS_EN = Path(__file__).parents[1] / "data" / "glass-en"


class Listed:
    """A corpus of given documents."""

    def __init__(self, *documents: Document) -> None:
        self._documents = documents

    def documents(self) -> Iterator[Document]:
        yield from self._documents

    def progress(self) -> Progress:
        return Progress(0, 0, "documents")


def write_corpus_of(
    session: Session, settings: Settings, dataset: Dataset, *documents: Document
) -> None:
    """Give a dataset its text, as its import would have."""
    folder = (settings.data_root / dataset_documents(dataset.id)).parent
    summary = write_corpus(Listed(*documents), folder)
    record_import(session, dataset.id, summary, {"path": "/test"})


def write_model_files(settings: Settings, model: LanguageModel) -> Path:
    """Give a model the files of the small trained one."""
    return Path(shutil.copytree(GLASS_EN, settings.data_root / model_dir(model.id)))
