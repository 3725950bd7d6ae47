"""The corpus on disk: one JSON line per document and a table of offsets."""

import json
import mmap
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.core.paths import fsync_dir
from app.services.corpora.document import Corpus, Document, Progress, clean_text
from app.services.corpora.errors import CorpusMissing, DatasetEmpty
from app.services.corpora.statistics import length_statistics

DOCUMENTS = "documents.jsonl"
OFFSETS = "offsets.npy"
SEARCHED_BYTES = 128 << 20
FOUND_DOCUMENTS = 1_000


class CorpusSummary(NamedTuple):
    size_bytes: int
    statistics: dict[str, Any]


class Found(NamedTuple):
    """Documents that hold a search text; ``complete`` is False when the scan met its cap."""

    indices: list[int]
    complete: bool


def write_corpus(
    corpus: Corpus,
    destination: Path,
    *,
    max_documents: int | None = None,
    on_progress: Callable[[Progress, int], None] | None = None,
) -> CorpusSummary:
    """Write a corpus to a folder: to a temporary one beside it, synced, then renamed.

    Args:
        corpus: The reader.
        destination: Folder to create; one of an earlier attempt is replaced.
        max_documents: Stop after this many.
        on_progress: Told after every document how far the reader is and how many are written; it
            may raise to stop, which leaves nothing behind.

    Raises:
        DatasetEmpty: No document holds text.
    """
    temporary = destination.with_name(f".{destination.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        summary = _write(corpus, temporary, max_documents, on_progress)
        if destination.exists():
            shutil.rmtree(destination)
        temporary.rename(destination)
        fsync_dir(destination.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return summary


def _write(
    corpus: Corpus,
    folder: Path,
    max_documents: int | None,
    on_progress: Callable[[Progress, int], None] | None,
) -> CorpusSummary:
    offsets = [0]
    lengths: list[int] = []
    with (folder / DOCUMENTS).open("wb") as file:
        for document in corpus.documents():
            text = clean_text(document.text)
            if not text.strip():
                continue
            offsets.append(offsets[-1] + file.write(_line(text, document.title)))
            lengths.append(len(text))
            if on_progress is not None:
                on_progress(corpus.progress(), len(lengths))
            if max_documents is not None and len(lengths) >= max_documents:
                break
        file.flush()
        os.fsync(file.fileno())
    if not lengths:
        raise DatasetEmpty("No text was found in it. Choose a source whose documents hold text.")
    with (folder / OFFSETS).open("wb") as file:
        np.save(file, np.asarray(offsets, dtype=np.int64))
        file.flush()
        os.fsync(file.fileno())
    return CorpusSummary(offsets[-1], length_statistics(np.asarray(lengths, dtype=np.int64)))


def _line(text: str, title: str | None) -> bytes:
    record = {"text": text} if not title else {"title": clean_text(title), "text": text}
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


class CorpusReader:
    """Random access to a written corpus.

    Args:
        folder: As ``write_corpus`` left it.

    Raises:
        CorpusMissing: Its files are not there, or are no corpus.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / DOCUMENTS
        try:
            self._offsets = np.load(folder / OFFSETS, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise CorpusMissing(
                "The files of this dataset are missing or damaged. Delete it and import it again."
            ) from error

    def __len__(self) -> int:
        return int(self._offsets.size) - 1

    def read(self, indices: list[int]) -> list[Document]:
        """The documents at these indices; one seek each."""
        documents = []
        with self._path.open("rb") as file:
            for index in indices:
                file.seek(int(self._offsets[index]))
                size = int(self._offsets[index + 1] - self._offsets[index])
                documents.append(_parse(file.read(size)))
        return documents

    def texts(self) -> Iterator[str]:
        """All texts in order."""
        with self._path.open("rb") as file:
            for line in file:
                yield _parse(line).text

    def search(
        self,
        needle: str,
        *,
        max_bytes: int = SEARCHED_BYTES,
        max_found: int = FOUND_DOCUMENTS,
    ) -> Found:
        """Indices of documents whose text or title holds ``needle``, ASCII case ignored.

        The scan is a byte search over the mapped file (about 170 MB/s); it ends after ``max_bytes``
        or ``max_found`` documents, whichever comes first.
        """
        escaped = json.dumps(needle, ensure_ascii=False)[1:-1].encode()
        pattern = re.compile(re.escape(escaped), re.IGNORECASE)
        indices: list[int] = []
        with (
            self._path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        ):
            end = min(len(mapped), max_bytes)
            position = 0
            while len(indices) < max_found and (match := pattern.search(mapped, position, end)):
                index = int(np.searchsorted(self._offsets, match.start(), side="right")) - 1
                indices.append(index)
                position = int(self._offsets[index + 1])
            exhausted = end == len(mapped) and len(indices) < max_found
        return Found(self._without_key_matches(indices, needle), exhausted)

    def _without_key_matches(self, indices: list[int], needle: str) -> list[int]:
        """Drop documents where only the JSON keys matched ("text", "title")."""
        lowered = needle.lower()
        if lowered not in '{"title": "", "text": ""}':
            return indices
        kept = []
        for index, document in zip(indices, self.read(indices), strict=True):
            if lowered in document.text.lower() or lowered in (document.title or "").lower():
                kept.append(index)
        return kept


def _parse(line: bytes) -> Document:
    record = json.loads(line)
    return Document(record["text"], record.get("title"))
