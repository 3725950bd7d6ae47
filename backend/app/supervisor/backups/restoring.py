"""Putting a backup in the place of what is there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn, parse_dsn

from app.core.config import Settings
from app.core.paths import DATA_FOLDERS
from app.supervisor.backups.archive import (
    BLOCK_BYTES,
    DUMP,
    FILES,
    JOB_LOGS,
    BackupInvalid,
    Contents,
    members_of,
    verify,
)
from app.supervisor.backups.writing import last_line, libpq_environment
from app.supervisor.binaries import find_postgres_bin
from app.supervisor.migrations import upgrade_to_head
from app.supervisor.schema_version import plain_url

SCRATCH = "restoring"
# Newer than the oldest server that a dump may go to; it has no effect on the rows.
UNKNOWN_TO_OLD_SERVERS = b"SET transaction_timeout"


class NotEmpty(Exception):
    """There is data already, and nobody said that it may be replaced."""


def restore_backup(
    settings: Settings,
    database_url: str,
    archive: Path,
    *,
    replace: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Contents:
    """Check a backup wholly, load it beside what is there, then change places.

    Until places are changed nothing that was there is touched: a failure or a crash before that
    leaves the installation as it was. One in that moment is mended by the same call again.

    Args:
        settings: Names the home.
        database_url: A server that runs, with nothing else connected to this database.
        archive: The backup.
        replace: Whether present data may go.
        on_step: Told what happens.

    Raises:
        BackupInvalid: The archive is damaged.
        NotEmpty: There is data, and ``replace`` was not said.
        SchemaRefused: A newer version of the program wrote it.
    """
    if not replace:
        _refuse_if_used(database_url)
    on_step("Checking the backup")
    with archive.open("rb") as file:
        contents = verify(file)
    scratch = settings.home / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    try:
        on_step("Unpacking the files")
        with archive.open("rb") as file:
            _unpack(file, scratch)
        on_step("Loading the database")
        beside = _fresh_database(database_url)
        _load(scratch / DUMP, beside)
        on_step("Bringing the tables to this version")
        upgrade_to_head(beside)
        on_step("Changing places")
        _swap_files(settings.data_root, scratch / FILES)
        _swap_folder(settings.home / JOB_LOGS, scratch / JOB_LOGS)
        _swap_database(database_url, beside)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return contents


def _refuse_if_used(database_url: str) -> None:
    with psycopg2.connect(plain_url(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.datasets') IS NOT NULL")
        made = cursor.fetchone()
        if not made or not made[0]:
            return
        cursor.execute(
            "SELECT EXISTS (SELECT FROM datasets) OR EXISTS (SELECT FROM models)"
            " OR EXISTS (SELECT FROM trainings)"
        )
        used = cursor.fetchone()
    if used and used[0]:
        raise NotEmpty("There is data here already. Say --replace to put the backup in its place.")


def _unpack(file: IO[bytes], scratch: Path) -> None:
    for archive, member in members_of(file):
        if member.name != DUMP and not member.name.startswith((f"{FILES}/", f"{JOB_LOGS}/")):
            continue
        target = scratch / member.name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        source = archive.extractfile(member)
        assert source is not None
        with target.open("wb") as written:
            os.fchmod(written.fileno(), 0o600)
            shutil.copyfileobj(source, written, BLOCK_BYTES)
            written.flush()
            os.fsync(written.fileno())


def _fresh_database(database_url: str) -> str:
    """An empty database beside the one that is used; its address."""
    given = parse_dsn(plain_url(database_url))
    name = f"{given['dbname']}_{SCRATCH}"
    _administer(
        database_url,
        sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)),
        sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)),
    )
    address, _, _ = database_url.rpartition("/")
    return f"{address}/{name}"


def _load(dump: Path, database_url: str) -> None:
    """Read the dump's statements into one transaction, without what old servers do not know."""
    folder = find_postgres_bin()
    environment = libpq_environment(database_url)
    reading = subprocess.Popen(
        [folder / "pg_restore", "--no-owner", "--no-privileges", "--file=-", dump],
        stdout=subprocess.PIPE,
    )
    writing = subprocess.Popen(
        [folder / "psql", "--no-psqlrc", "--quiet", "--single-transaction",
         "--set=ON_ERROR_STOP=1", "--output=/dev/null"],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    source, target, said = _pipes(reading, writing)
    try:
        line = source.readline()
        while line and not line.startswith(b"CREATE "):
            if not line.startswith(UNKNOWN_TO_OLD_SERVERS):
                target.write(line)
            line = source.readline()
        target.write(line)
        shutil.copyfileobj(source, target, BLOCK_BYTES)
        target.close()
    except BrokenPipeError:
        reading.kill()
    problem = said.read()
    if writing.wait() or reading.wait():
        raise BackupInvalid(f"The database could not be loaded: {last_line(problem)}")


def _pipes(
    reading: subprocess.Popen[bytes], writing: subprocess.Popen[bytes]
) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    assert reading.stdout is not None
    assert writing.stdin is not None
    assert writing.stderr is not None
    return reading.stdout, writing.stdin, writing.stderr


def _swap_files(data_root: Path, fresh: Path) -> None:
    fresh.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in DATA_FOLDERS:
        (fresh / folder).mkdir(exist_ok=True, mode=0o700)
    _swap_folder(data_root, fresh)


def _swap_folder(used: Path, fresh: Path) -> None:
    """Put a folder in the place of another; a backup may have none (one of an older program)."""
    fresh.mkdir(parents=True, exist_ok=True, mode=0o700)
    leaving = used.with_name(f"{used.name}.leaving")
    shutil.rmtree(leaving, ignore_errors=True)
    if used.exists():
        used.rename(leaving)
    used.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh.rename(used)
    shutil.rmtree(leaving, ignore_errors=True)


def _swap_database(database_url: str, beside: str) -> None:
    used = sql.Identifier(parse_dsn(plain_url(database_url))["dbname"])
    fresh = sql.Identifier(parse_dsn(plain_url(beside))["dbname"])
    _administer(
        database_url,
        sql.SQL("DROP DATABASE {} WITH (FORCE)").format(used),
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(fresh, used),
    )


def _administer(database_url: str, *statements: sql.Composed) -> None:
    given = parse_dsn(plain_url(database_url)) | {"dbname": "postgres"}
    connection = psycopg2.connect(make_dsn(**given))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()
