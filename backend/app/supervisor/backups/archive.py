"""The form of a backup: a tar of the database's dump, the files, and a list of checksums.

``manifest.json`` comes first and ``SHA256SUMS`` last, so an archive can be written to a pipe and a
truncated one is known by the missing list. ``tar`` and ``sha256sum --check`` read it without us.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import PurePosixPath
from typing import IO, Protocol

FORMAT = "mistudio-backup-1"
MANIFEST, DUMP, FILES, CHECKSUMS = "manifest.json", "database.dump", "data", "SHA256SUMS"
JOB_LOGS = "logs/jobs"
BLOCK_BYTES = 1 << 20


class BackupInvalid(Exception):
    """The archive is no backup, or not a whole one; the message says what is wrong."""


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class Contents:
    """What a backup says of itself.

    Attributes:
        format: ``FORMAT``.
        release: Version of the program that wrote it.
        revision: Where the database's tables stood.
        created_at: ISO 8601, UTC.
        folders: Folders of the data root that it holds.
    """

    format: str
    release: str
    revision: str | None
    created_at: str
    folders: list[str]

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()


class HashingReader:
    """Passes bytes on and adds them up; ``on_bytes`` is told of each block's size."""

    def __init__(self, source: Readable, on_bytes: Callable[[int], None] = lambda _: None) -> None:
        self._source, self._on_bytes = source, on_bytes
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1, /) -> bytes:
        block = self._source.read(size)
        self._hash.update(block)
        self.size += len(block)
        self._on_bytes(len(block))
        return block

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Append a small member that only its owner may read."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))


def read_contents(file: IO[bytes]) -> Contents:
    """Read what an archive says of itself, from its beginning.

    Raises:
        BackupInvalid: It is no backup of this program.
    """
    try:
        with tarfile.open(fileobj=file, mode="r|") as archive:
            return _contents_of(archive, archive.next())
    except tarfile.TarError as error:
        raise BackupInvalid("This file is no backup of MechInterp Studio.") from error


def members_of(file: IO[bytes]) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Members with safe names, one after the other, from an archive that can be read only once.

    Raises:
        BackupInvalid: A link, an absolute name, or a damaged archive.
    """
    try:
        with tarfile.open(fileobj=file, mode="r|") as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                is_plain = member.isreg() and not path.is_absolute() and ".." not in path.parts
                if not is_plain:
                    raise BackupInvalid(f"The archive holds {member.name!r}, which is no file.")
                yield archive, member
    except (tarfile.TarError, EOFError) as error:
        raise BackupInvalid("The backup is damaged or cut off.") from error


def verify(file: IO[bytes]) -> Contents:
    """Compare every member with the list of checksums; reads everything once.

    Raises:
        BackupInvalid: Something is missing, altered or not listed.
    """
    try:
        return _verify(file)
    except tarfile.TarError as error:
        raise BackupInvalid("The backup is damaged or cut off.") from error


def _verify(file: IO[bytes]) -> Contents:
    found: dict[str, str] = {}
    contents: Contents | None = None
    listed: dict[str, str] | None = None
    for archive, member in members_of(file):
        source = archive.extractfile(member)
        assert source is not None
        if contents is None:
            contents = _contents_of(archive, member, source_bytes := source.read())
            found[MANIFEST] = hashlib.sha256(source_bytes).hexdigest()
            continue
        if member.name == CHECKSUMS:
            listed = _parse_checksums(source.read())
            continue
        reader = HashingReader(source)
        while reader.read(BLOCK_BYTES):
            pass
        found[member.name] = reader.digest
    if contents is None or listed is None:
        raise BackupInvalid("The backup is cut off: its list of checksums is missing.")
    for name in sorted(listed.keys() | found.keys()):
        if listed.get(name) != found.get(name):
            raise BackupInvalid(f"{name} is missing, altered or not listed in the backup.")
    if DUMP not in found:
        raise BackupInvalid("The backup holds no database.")
    return contents


def checksum_lines(digests: dict[str, str]) -> bytes:
    """The list as ``sha256sum`` writes it."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def _parse_checksums(content: bytes) -> dict[str, str]:
    pairs = (line.split("  ", 1) for line in content.decode().splitlines())
    return {name: digest for digest, name in pairs}


def _contents_of(
    archive: tarfile.TarFile, member: tarfile.TarInfo | None, content: bytes | None = None
) -> Contents:
    if member is None or member.name != MANIFEST:
        raise BackupInvalid("This file is no backup of MechInterp Studio.")
    if content is None:
        source = archive.extractfile(member)
        assert source is not None
        content = source.read()
    try:
        raw = json.loads(content)
        contents = Contents(**{field.name: raw[field.name] for field in fields(Contents)})
    except (ValueError, KeyError, TypeError) as error:
        raise BackupInvalid("The backup's manifest cannot be read.") from error
    if contents.format != FORMAT:
        raise BackupInvalid(f"The backup is of the form {contents.format!r}, not {FORMAT!r}.")
    return contents
