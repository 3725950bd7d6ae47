"""Archives that are the same bytes for the same content, and that are unpacked with care."""

import errno
import hashlib
import lzma
import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from app.core.errors import ValidationFailed

MAX_FILES = 20_000
MAX_RATIO = 200
"""Unpacked against packed size; text packs 10 to 30 times, a bomb a thousand times."""
OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
DAMAGES = (
    KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, EOFError,
    RecursionError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading a file trips over that its program did not write as we expect it."""
_CHUNK = 1 << 20


class BundleInvalid(ValidationFailed):
    """A file is no bundle of features, or is damaged."""


def write_archive(folder: Path, archive: Path) -> None:
    """Store a folder's files, which are packed already, in the order of their names."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())  # dated 1980
            with path.open("rb") as source, target.open(entry, "w", force_zip64=True) as stored:
                shutil.copyfileobj(source, stored, _CHUNK)


def unpack_archive(archive: Path, folder: Path) -> None:
    """Unpack into a folder of its own.

    Raises:
        BundleInvalid: Not an archive, or one that would leave the folder or fill the disk.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            entries = [entry for entry in source.infolist() if not entry.is_dir()]
            _check(entries, archive.stat().st_size)
            for entry in entries:
                path = folder / entry.filename
                path.parent.mkdir(parents=True, exist_ok=True)
                with source.open(entry) as stored, path.open("wb") as target:
                    shutil.copyfileobj(stored, target, _CHUNK)
    except OSError as error:
        if error.errno in OF_THE_DISK:
            raise
        raise BundleInvalid(f"The archive cannot be unpacked: {error.strerror}.") from error
    except (*DAMAGES, lzma.LZMAError) as error:
        raise BundleInvalid(f"The file is no readable ZIP archive: {error}.") from error


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(entries: list[zipfile.ZipInfo], packed_bytes: int) -> None:
    if len(entries) > MAX_FILES:
        raise BundleInvalid(f"The archive holds {len(entries):,} files, more than {MAX_FILES:,}.")
    if sum(entry.file_size for entry in entries) > MAX_RATIO * packed_bytes:
        raise BundleInvalid(f"The archive would grow more than {MAX_RATIO} times.")
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        if entry.filename.startswith("/") or "\\" in entry.filename or ".." in parts:
            raise BundleInvalid(f"The archive names a place outside of it: {entry.filename!r}.")
