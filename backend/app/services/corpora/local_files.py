"""Files and folders of this machine as a corpus."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.services.corpora.document import Document, Progress
from app.services.corpora.errors import DatasetEmpty, DatasetFormatInvalid, PathNotReadable
from app.services.corpora.records import (
    check_parquet,
    documents_of,
    read_csv,
    read_json,
    read_json_lines,
    read_parquet,
)
from app.services.corpora.text_files import split_prose
from app.services.corpora.text_stream import check_text, open_text

PROSE_SUFFIXES = frozenset({".txt", ".md", ".rst"})
RECORD_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"})
SUFFIXES = PROSE_SUFFIXES | RECORD_SUFFIXES
SUPPORTED = ".txt .md .rst .jsonl .json .csv .tsv .parquet, each also as .gz"
# A folder with more files than this is most likely a mistake (a home folder, a disk).
MOST_FILES = 200_000


def check_source(path: Path, text_column: str | None = None) -> None:
    """Refuse at request time what cannot be imported.

    Raises:
        PathNotReadable: Missing, no regular file or folder, or not readable.
        DatasetEmpty: Nothing in it.
        DatasetFormatInvalid: Binary, damaged or of an unsupported kind.
    """
    files = list_files(path)
    for file in files[:1] if path.is_dir() else files:
        _check_file(file, text_column)


def list_files(path: Path) -> list[Path]:
    """The importable files of a path, in a fixed order: itself, or all below a folder."""
    mode = _mode_of(path)
    if stat.S_ISREG(mode):
        if content_suffix(path) not in SUFFIXES:
            check_text(path)  # a binary or empty file is told as that, whatever its name
            raise DatasetFormatInvalid(
                f"{path.name} is of a kind that cannot be imported. Supported are {SUPPORTED}.",
                details={"path": str(path), "supported": SUPPORTED},
            )
        return [path]
    if not stat.S_ISDIR(mode):
        raise PathNotReadable(
            f"{path} is neither a file nor a folder.", details={"path": str(path)}
        )
    files = sorted(_walk(path))
    if not files:
        raise DatasetEmpty(
            f"No importable file was found in {path}. Supported are {SUPPORTED}.",
            details={"path": str(path), "supported": SUPPORTED},
        )
    return files


def content_suffix(path: Path) -> str:
    """The suffix that names the content: ``.jsonl`` of ``a.jsonl.gz``."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _mode_of(path: Path) -> int:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise PathNotReadable(
            f"{path} does not exist on this machine. Give the full path of a file or folder."
            if isinstance(error, FileNotFoundError | NotADirectoryError)
            else f"{path} cannot be read: {error.strerror}.",
            details={"path": str(path)},
        ) from error
    wanted = os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)
    if not os.access(path, wanted):
        raise PathNotReadable(
            f"{path} may not be read by the user that runs MechInterp Studio.",
            details={"path": str(path)},
        )
    return mode


def _walk(folder: Path) -> Iterator[Path]:
    count = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(root, name)
            if name.startswith(".") or content_suffix(path) not in SUFFIXES:
                continue
            if not path.is_file() or path.stat().st_size == 0:
                continue
            count += 1
            if count > MOST_FILES:
                raise DatasetFormatInvalid(
                    f"{folder} holds more than {MOST_FILES:,} files. Choose a smaller folder.",
                    details={"path": str(folder)},
                )
            yield path


def _check_file(path: Path, text_column: str | None) -> None:
    suffix = content_suffix(path)
    if path.stat().st_size == 0:
        raise DatasetEmpty(
            f"{path.name} is empty. Choose a file that holds text.", details={"path": str(path)}
        )
    if suffix == ".parquet":
        check_parquet(path, text_column)
        return
    check_text(path)
    if suffix in RECORD_SUFFIXES and suffix != ".json":
        # The first record tells of broken lines and missing columns before anything is queued.
        next(_documents_in(path, text_column), None)


class LocalFiles:
    """All documents of a file or folder.

    Args:
        path: A path that ``check_source`` accepted.
        text_column: Column of record files that holds the text; None picks it per file.
    """

    def __init__(self, path: Path, text_column: str | None = None) -> None:
        self._files = list_files(path)
        self._is_folder = path.is_dir()
        self._root = path
        self._text_column = text_column
        self._total = sum(file.stat().st_size for file in self._files)
        self._finished = 0
        self._open_file: BinaryIO | None = None

    def documents(self) -> Iterator[Document]:
        for file in self._files:
            title = str(file.relative_to(self._root)) if self._is_folder else file.name
            try:
                yield from _documents_in(file, self._text_column, title=title, corpus=self)
            except (DatasetEmpty, DatasetFormatInvalid):
                if not self._is_folder:
                    raise
            self._open_file = None
            self._finished += file.stat().st_size

    def progress(self) -> Progress:
        here = self._open_file.tell() if self._open_file is not None else 0
        return Progress(self._finished + here, self._total, "bytes")

    def follow(self, raw: BinaryIO) -> None:
        """Take the position of this file into account."""
        self._open_file = raw


def _documents_in(
    path: Path,
    text_column: str | None,
    *,
    title: str | None = None,
    corpus: LocalFiles | None = None,
) -> Iterator[Document]:
    suffix, name = content_suffix(path), title or path.name
    if suffix == ".parquet":
        yield from documents_of(read_parquet(path), text_column, name)
        return
    with open_text(path) as (stream, raw):
        if corpus is not None:
            corpus.follow(raw)
        if suffix in PROSE_SUFFIXES:
            yield from split_prose(stream, name)
        elif suffix in {".csv", ".tsv"}:
            yield from documents_of(read_csv(stream, name), text_column, name)
        elif suffix == ".json":
            yield from documents_of(read_json(stream, path), text_column, name)
        else:
            yield from documents_of(read_json_lines(stream, name), text_column, name)
