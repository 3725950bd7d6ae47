"""Receiving an uploaded file: streamed to disk as it arrives, with a cap."""

import hashlib
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from pydantic import BaseModel
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

from app.core.config import Settings
from app.core.enums import ErrorCode
from app.core.errors import AppError, ValidationFailed
from app.services.corpora.local_files import SUFFIXES, SUPPORTED, content_suffix
from app.services.ml_settings import refuse_field

LONGEST_FIELD_BYTES = 4_096
MOST_PARTS = 32
_UNSAFE = re.compile(r"[^\w.() -]")


class UploadTooLarge(AppError):
    code = ErrorCode.PAYLOAD_TOO_LARGE
    status = 413


class UploadContent(BaseModel):
    """What makes two uploads the same request."""

    filename: str
    fields: dict[str, str]
    sha256: str


@dataclass
class Upload:
    """A received form: the file on disk and the text fields beside it.

    Attributes:
        is_taken: Whether a job has it now and deletes it.
    """

    path: Path
    filename: str
    sha256: str
    fields: dict[str, str] = field(default_factory=dict)
    is_taken: bool = False

    @property
    def content(self) -> UploadContent:
        return UploadContent(filename=self.filename, fields=self.fields, sha256=self.sha256)

    def discard(self) -> None:
        shutil.rmtree(self.path.parent, ignore_errors=True)


@contextmanager
def received(
    settings: Settings,
    content_type: str | None,
    chunks: Iterator[bytes],
    suffixes: Collection[str] = SUFFIXES,
) -> Iterator[Upload]:
    """As ``receive``, for as long as nobody has taken the file: then it is deleted."""
    upload = receive(settings, content_type, chunks, suffixes)
    try:
        yield upload
    except BaseException:
        upload.discard()
        raise
    if not upload.is_taken:
        upload.discard()


def receive(
    settings: Settings,
    content_type: str | None,
    chunks: Iterator[bytes],
    suffixes: Collection[str] = SUFFIXES,
) -> Upload:
    """Read a multipart form with one file field.

    Args:
        settings: Data root and size cap.
        content_type: Header of the request, with the boundary.
        chunks: The body as it arrives.
        suffixes: Of the files that are taken.

    Raises:
        ValidationFailed: Not a multipart form, or without a file.
        UploadTooLarge: Larger than ``max_upload_bytes``; nothing is kept.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise ValidationFailed("Send the file as multipart/form-data in the field 'file'.")
    receiver = _Receiver(settings, suffixes)
    parser = MultipartParser(boundary, receiver.callbacks())
    try:
        for chunk in chunks:
            parser.write(chunk)
        return receiver.finish()
    except ValueError as error:  # python_multipart's own errors are ValueErrors
        receiver.abandon()
        raise ValidationFailed(f"The upload is damaged: {error}.") from error
    except BaseException:
        receiver.abandon()
        raise


class _Receiver:
    def __init__(self, settings: Settings, suffixes: Collection[str]) -> None:
        self._suffixes = suffixes
        self._root = settings.data_root
        self._max_bytes = settings.max_upload_bytes
        self._fields: dict[str, str] = {}
        self._header = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._text = bytearray()
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._filename = ""
        self._size = 0
        self._n_parts = 0
        self._digest = hashlib.sha256()

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
        }

    def finish(self) -> Upload:
        if self._path is None:
            refuse_field("file", "is missing: choose a file to upload")
        if self._file is not None:
            raise ValidationFailed("The upload ended before the file was complete. Try again.")
        return Upload(self._path, self._filename, self._digest.hexdigest(), self._fields)

    def abandon(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._path is not None:
            shutil.rmtree(self._path.parent, ignore_errors=True)

    def _on_part_begin(self) -> None:
        self._n_parts += 1
        if self._n_parts > MOST_PARTS:  # fields are kept in memory
            raise ValidationFailed(f"The form has more than {MOST_PARTS} parts.")
        self._headers, self._name, self._text = {}, "", bytearray()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        if filename is not None and self._path is None:
            self._open(filename.decode("utf-8", "replace"))

    def _open(self, given: str) -> None:
        self._filename = _UNSAFE.sub("_", re.split(r"[/\\]", given)[-1])[-120:].lstrip(".")
        if content_suffix(Path(self._filename)) not in self._suffixes:
            known = SUPPORTED if self._suffixes is SUFFIXES else " ".join(sorted(self._suffixes))
            refuse_field("file", f"must be one of {known}", self._filename)
        folder = self._root / "cache" / f"upload-{uuid4()}"
        folder.mkdir(parents=True, mode=0o700)
        self._path = folder / self._filename
        self._file = self._path.open("xb")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._text += data[start:end]
            if len(self._text) > LONGEST_FIELD_BYTES:
                refuse_field(self._name, "is too long")
            return
        self._size += end - start
        if self._size > self._max_bytes:
            raise UploadTooLarge(
                f"The file is larger than {self._max_bytes / 1024**3:.0f} GiB. Copy it to this "
                "machine and import it by its path.",
                details={"max_bytes": self._max_bytes},
            )
        piece = memoryview(data)[start:end]
        self._digest.update(piece)
        self._file.write(piece)

    def _on_part_end(self) -> None:
        if self._file is None:
            self._fields[self._name] = self._text.decode("utf-8", "replace")
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
