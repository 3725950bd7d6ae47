"""Opening text of unknown encoding, plain or gzipped, and refusing what is not text."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from app.services.corpora.errors import DatasetEmpty, DatasetFormatInvalid, PathNotReadable

SAMPLE_BYTES = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"
# Control characters that no text file holds; tab, line feed, form feed, return and escape are fine.
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 27})
_MAX_CONTROL_SHARE = 0.01
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@contextmanager
def open_bytes(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open a file, unpacking gzip by its content.

    Yields:
        The stream of (unpacked) bytes, and the raw file, whose ``tell`` is the progress in bytes
        on disk.

    Raises:
        PathNotReadable: The system refuses to open it or to read its beginning.
        DatasetFormatInvalid: It says that it is gzip and is damaged.
    """
    with _open(path) as raw:
        packed = raw.peek(2)[:2] == GZIP_MAGIC
        if not packed:
            yield raw, raw
            return
        try:
            with gzip.GzipFile(fileobj=raw) as stream:
                yield cast(BinaryIO, stream), raw
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DatasetFormatInvalid(
                f"{path.name} is damaged: it cannot be unpacked ({error}).",
                details={"path": str(path)},
            ) from error


def _open(path: Path) -> io.BufferedReader:
    """Open a file and read its beginning, which some files of the system refuse only then."""
    raw = None
    try:
        raw = path.open("rb")
        raw.peek(1)
        return raw
    except OSError as error:
        if raw is not None:
            raw.close()
        raise PathNotReadable(
            f"{path} cannot be read: {error.strerror}.", details={"path": str(path)}
        ) from error


@contextmanager
def open_text(path: Path) -> Iterator[tuple[io.TextIOWrapper, BinaryIO]]:
    """Open a text file in its own encoding; undecodable bytes become U+FFFD."""
    encoding = check_text(path)
    with open_bytes(path) as (stream, raw):
        text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=None)
        try:
            yield text, raw
        finally:
            text.detach()


def read_sample(path: Path, size: int = SAMPLE_BYTES) -> bytes:
    """The first bytes of a file, unpacked."""
    with open_bytes(path) as (stream, _):
        return stream.read(size)


def check_text(path: Path) -> str:
    """Name the encoding of a text file.

    Raises:
        DatasetEmpty: Nothing but white space at its beginning.
        DatasetFormatInvalid: It is not text.
    """
    sample = read_sample(path)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return encoding
    if not sample.strip() and len(sample) < SAMPLE_BYTES:
        raise DatasetEmpty(
            f"{path.name} is empty. Choose a file that holds text.", details={"path": str(path)}
        )
    if _looks_binary(sample):
        raise DatasetFormatInvalid(
            f"{path.name} is a binary file, not text. Import .txt, .md, .jsonl, .json, .csv or "
            ".parquet, plain or gzipped.",
            details={"path": str(path)},
        )
    return "utf-8" if _is_utf8(sample) else "cp1252"


def _looks_binary(sample: bytes) -> bool:
    if b"\0" in sample:
        return True
    control = len(sample) - len(sample.translate(None, _CONTROL))
    if control > _MAX_CONTROL_SHARE * len(sample):
        return True
    high = len(sample) - len(sample.translate(None, bytes(range(128, 256))))
    return not _is_utf8(sample) and high > 0.3 * len(sample)


def _is_utf8(sample: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample)  # a character that the sample cuts in two is not an error
    except UnicodeDecodeError:
        return False
    return True
