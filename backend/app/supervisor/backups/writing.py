"""Writing a backup while everything runs."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from psycopg2.extensions import parse_dsn

from app.core.config import Settings
from app.core.paths import DATA_FOLDERS
from app.core.release import RELEASE
from app.supervisor.backups.archive import (
    CHECKSUMS,
    DUMP,
    FILES,
    FORMAT,
    JOB_LOGS,
    MANIFEST,
    Contents,
    HashingReader,
    add_bytes,
    checksum_lines,
)
from app.supervisor.binaries import find_postgres_bin
from app.supervisor.schema_version import plain_url, read_record

# The cache is made again, and exports are kept for a day only.
KEPT_FOLDERS = tuple(name for name in DATA_FOLDERS if name not in ("cache", "exports"))
OnBytes = Callable[[int], None]


class BackupFailed(Exception):
    """The database could not be dumped, or the disk is too small."""


def write_backup(
    settings: Settings,
    database_url: str,
    target: IO[bytes],
    *,
    without: frozenset[str] = frozenset(),
    on_bytes: OnBytes = lambda _: None,
) -> Contents:
    """Write database and files to an archive; jobs may go on meanwhile.

    The database is dumped first, in one snapshot. Files are written once and never changed, so
    those that its rows name are whole; one that was deleted in between is left out and shows as a
    difference between rows and files, as after any deletion that was cut short.

    Args:
        settings: Names the data folder.
        database_url: A server that runs.
        target: Receives the archive; need not be seekable.
        without: Folders of the data root to leave out (activations can be extracted again).
        on_bytes: Told of every block.

    Raises:
        BackupFailed: The dump failed.
        OSError: The target is full.
    """
    folders = [name for name in KEPT_FOLDERS if name not in without]
    contents = Contents(
        format=FORMAT,
        release=RELEASE,
        revision=read_record(database_url).revision,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        folders=folders,
    )
    digests: dict[str, str] = {}
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        with tempfile.TemporaryFile(dir=settings.run_dir) as manifest:
            manifest.write(contents.to_json())
            digests[MANIFEST] = _add_stream(archive, MANIFEST, manifest, on_bytes)
        with _dump(settings, database_url) as dump:
            digests[DUMP] = _add_stream(archive, DUMP, dump, on_bytes)
        for path, name in _named_files(settings, folders):
            try:
                source = path.open("rb")
            except FileNotFoundError:
                continue
            with source:
                digests[name] = _add_stream(archive, name, source, on_bytes)
        add_bytes(archive, CHECKSUMS, checksum_lines(digests))
    return contents


def backup_size(settings: Settings, without: frozenset[str] = frozenset()) -> int:
    """Bytes of the files that a backup would hold, without the database."""
    folders = [name for name in KEPT_FOLDERS if name not in without]
    return sum(path.stat().st_size for path in _files(settings.data_root, folders))


def _add_stream(archive: tarfile.TarFile, name: str, source: IO[bytes], on_bytes: OnBytes) -> str:
    """Append an open file of its size at this moment; returns its checksum."""
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    member.mtime = int(os.fstat(source.fileno()).st_mtime)
    reader = HashingReader(source, on_bytes)
    archive.addfile(member, reader)
    return reader.digest


@contextmanager
def _dump(settings: Settings, database_url: str) -> Iterator[IO[bytes]]:
    """The database in pg_dump's own compressed form, which pg_restore reads."""
    program = find_postgres_bin() / "pg_dump"
    with tempfile.TemporaryFile(dir=settings.run_dir) as dump:
        done = subprocess.run(
            [program, "--format=custom", "--no-owner", "--no-privileges"],
            stdout=dump, stderr=subprocess.PIPE, env=libpq_environment(database_url),
        )  # fmt: skip
        if done.returncode:
            raise BackupFailed(f"The database could not be dumped: {last_line(done.stderr)}")
        yield dump


def libpq_environment(database_url: str) -> dict[str, str]:
    """Where libpq's programs find the server; nothing of it is seen in the list of processes."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
             "dbname": "PGDATABASE"}  # fmt: skip
    given = parse_dsn(plain_url(database_url))
    return os.environ | {names[key]: str(value) for key, value in given.items() if key in names}


def last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _named_files(settings: Settings, folders: list[str]) -> Iterator[tuple[Path, str]]:
    """Files of the data root and the logs that the page shows, with their names in the archive."""
    for path in _files(settings.data_root, folders):
        yield path, f"{FILES}/{path.relative_to(settings.data_root).as_posix()}"
    for path in sorted((settings.home / JOB_LOGS).glob("*.log")):
        yield path, f"{JOB_LOGS}/{path.name}"


def _files(data_root: Path, folders: list[str]) -> Iterator[Path]:
    """Files in order; what is half written when it is met has no row yet and does no harm."""
    for folder in folders:
        for path in sorted((data_root / folder).rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path
