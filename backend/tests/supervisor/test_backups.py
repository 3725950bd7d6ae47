"""A backup, a wipe, a restore: the same rows and the same bytes, or nothing at all."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from psycopg2 import sql
from typer.testing import CliRunner

from app.cli.main import app
from app.core.config import Settings, get_settings
from app.core.paths import ensure_home
from app.services.hub import tokens
from app.supervisor.backups import (
    BackupFailed,
    BackupInvalid,
    NotEmpty,
    archive,
    restoring,
    write_backup,
)
from app.supervisor.backups import restore_backup as restore
from app.supervisor.migrations import SchemaIsNewer, upgrade_to_head

NAMES = ["tales", "café, 'quoted'\n\\N"]


class Place:
    """A home with a database of its own, a copy of ``template``."""

    def __init__(self, home: Path, servers: Settings, template: str = "template1") -> None:
        self.settings = Settings(home=home, database_url=None)
        ensure_home(home)
        address = str(servers.database_url).rpartition("/")[0]
        self.url = f"{address}/backup_{uuid4().hex[:12]}"
        restoring._administer(
            str(servers.database_url),
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(self.url.rpartition("/")[2]), sql.Identifier(template)
            ),
        )

    def query(self, text: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def fill(self) -> None:
        for name in NAMES:
            quoted = name.replace("'", "''")
            self.query(
                "INSERT INTO datasets (id, name, source, status) VALUES "
                f"(gen_random_uuid(), '{quoted}', 'Local', 'ready')"
            )
        for folder in ("models/a", "activations/b", "cache/c", "exports/d"):
            path = self.settings.data_root / folder / "weights.bin"
            path.parent.mkdir(parents=True)
            path.write_bytes(folder.encode() * 1000)

    def files(self) -> dict[str, bytes]:
        root = self.settings.data_root
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def names(self) -> list[str]:
        return sorted(name for (name,) in self.query("SELECT name FROM datasets"))

    def drop(self) -> None:
        name = sql.Identifier(self.url.rpartition("/")[2])
        restoring._administer(
            f"{self.url.rpartition('/')[0]}/postgres",
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name),
        )


@pytest.fixture(scope="module")
def migrated(servers: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a database with all tables and no row."""
    place = Place(tmp_path_factory.mktemp("migrated"), servers)
    upgrade_to_head(place.url)
    yield place.url.rpartition("/")[2]
    place.drop()


@pytest.fixture(scope="module")
def full(
    servers: Settings, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("full"), servers, migrated)
    place.fill()
    yield place
    place.drop()


@pytest.fixture(scope="module")
def saved(full: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backups") / "all.tar"
    with path.open("wb") as file:
        write_backup(full.settings, full.url, file)
    return path


@pytest.fixture
def used(servers: Settings, migrated: str, tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "used", servers, migrated)
    place.fill()
    yield place
    place.drop()


@pytest.fixture
def empty(servers: Settings, tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "empty", servers)
    yield place
    place.drop()


def test_what_comes_back_is_what_was_there(full: Place, saved: Path, empty: Place) -> None:
    contents = restore(empty.settings, empty.url, saved)
    assert empty.names() == full.names() == sorted(NAMES)
    kept = {name: data for name, data in full.files().items() if name[0] in "ma"}
    assert empty.files() == kept
    assert contents.folders == ["models", "datasets", "activations", "checkpoints"]
    assert (empty.settings.data_root / "cache").is_dir()
    assert empty.query("SELECT version_num FROM alembic_version") == full.query(
        "SELECT version_num FROM alembic_version"
    )
    assert not (empty.settings.home / restoring.SCRATCH).exists()
    found = empty.query("SELECT datname FROM pg_database WHERE datname LIKE '%\\_restoring'")
    assert found == []


def test_no_backup_holds_an_access_token(full: Place) -> None:
    job_id, written = uuid4(), io.BytesIO()
    tokens.leave(full.settings, job_id, "hf_canary_of_a_backup")
    try:
        write_backup(full.settings, full.url, written)
    finally:
        tokens.forget(full.settings, job_id)
    written.seek(0)
    names = [member.name for _, member in archive.members_of(written)]
    assert "data/models/a/weights.bin" in names
    assert [name for name in names if str(job_id) in name or "secrets" in name] == []
    assert b"hf_canary_of_a_backup" not in written.getvalue(), "members lie in a tar as they are"


def test_activations_can_be_left_out(full: Place, empty: Place, tmp_path: Path) -> None:
    path = tmp_path / "small.tar"
    with path.open("wb") as file:
        write_backup(full.settings, full.url, file, without=frozenset({"activations"}))
    restore(empty.settings, empty.url, path)
    assert list(empty.files()) == ["models/a/weights.bin"]


def test_present_data_is_replaced_only_when_that_is_said(saved: Path, used: Place) -> None:
    used.query("DELETE FROM datasets WHERE name = 'tales'")
    extra = used.settings.data_root / "models" / "mine"
    extra.write_bytes(b"mine")
    with pytest.raises(NotEmpty, match="--replace"):
        restore(used.settings, used.url, saved)
    assert (len(used.names()), extra.exists()) == (1, True)
    restore(used.settings, used.url, saved, replace=True)
    assert (len(used.names()), extra.exists()) == (2, False)


def altered(saved: Path, path: Path, change: str) -> Path:
    content = bytearray(saved.read_bytes())
    if change == "a bit":
        content[content.index(b"models/amodels/a") + 5] ^= 1
    elif change == "cut off":
        del content[len(content) // 2 :]
    elif change == "no list":
        del content[content.index(archive.CHECKSUMS.encode() + b"\0") :]
    else:
        content = bytearray(b"not a tar at all" * 100)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("change", ["a bit", "cut off", "no list", "other"])
def test_a_damaged_backup_changes_nothing(
    saved: Path, used: Place, tmp_path: Path, change: str
) -> None:
    before = (used.names(), used.files())
    with pytest.raises(BackupInvalid):
        restore(used.settings, used.url, altered(saved, tmp_path / "bad.tar", change),
                replace=True)  # fmt: skip
    assert (used.names(), used.files()) == before


@pytest.mark.fault(23)
@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "data/../../outside"])
def test_an_archive_that_leaves_its_folder_is_refused(
    saved: Path, tmp_path: Path, name: str
) -> None:
    bad = tmp_path / "bad.tar"
    with tarfile.open(bad, "w") as written:
        archive.add_bytes(written, name, b"x")
    with bad.open("rb") as file, pytest.raises(BackupInvalid, match="outside"):
        list(archive.members_of(file))
    with saved.open("rb") as file:
        assert archive.read_contents(file).format == archive.FORMAT
    with pytest.raises(BackupInvalid, match="no backup"):
        archive.read_contents(io.BytesIO(bad.read_bytes()))


@pytest.mark.fault(23)
@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_an_archive_with_links_or_devices_changes_nothing(
    saved: Path, used: Place, tmp_path: Path, kind: bytes
) -> None:
    """A link inside the data folder would send the file after it anywhere."""
    before, outside = (used.names(), used.files()), tmp_path / "outside"
    bad = tmp_path / "bad.tar"
    with tarfile.open(saved) as whole, tarfile.open(bad, "w") as written:
        for member in whole:
            if member.name == archive.CHECKSUMS:
                odd = tarfile.TarInfo("data/models/link")
                odd.type, odd.linkname = kind, str(outside)
                written.addfile(odd)
                archive.add_bytes(written, "data/models/link/stolen", b"x")
            written.addfile(member, whole.extractfile(member))
    with pytest.raises(BackupInvalid, match=r"data/models/link.*no file"):
        restore(used.settings, used.url, bad, replace=True)
    assert (used.names(), used.files()) == before
    assert not outside.exists()


def test_a_failure_on_the_way_leaves_what_was_there(
    saved: Path, used: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (used.names(), used.files())

    def refuse(url: str) -> None:
        raise SchemaIsNewer("a newer one")

    monkeypatch.setattr(restoring, "upgrade_to_head", refuse)
    with pytest.raises(SchemaIsNewer):
        restore(used.settings, used.url, saved, replace=True)
    assert (used.names(), used.files()) == before
    assert not (used.settings.home / restoring.SCRATCH).exists()


def test_a_server_that_is_away_gives_no_backup(full: Place) -> None:
    with pytest.raises((BackupFailed, psycopg2.OperationalError)):
        write_backup(full.settings, full.url + "_unknown", io.BytesIO())


def test_the_command_writes_a_private_file_and_reads_it_again(
    full: Place, empty: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(place: Place, *arguments: str, **options: Any) -> Any:
        monkeypatch.setenv("MISTUDIO_HOME", str(place.settings.home))
        monkeypatch.setenv("DATABASE_URL", place.url)
        get_settings.cache_clear()
        return CliRunner().invoke(app, arguments, **options)

    done = run(full, "backup", str(tmp_path))
    assert done.exit_code == 0, done.output
    (file,) = tmp_path.glob("mistudio-*.tar")
    assert file.stat().st_mode & 0o077 == 0
    assert str(file) in done.output
    done = run(empty, "restore", "-", input=file.read_bytes())
    assert done.exit_code == 0, done.output
    assert empty.names() == sorted(NAMES)
    done = run(empty, "restore", str(file))
    assert (done.exit_code, "--replace" in done.output) == (1, True)
    done = run(empty, "restore", str(tmp_path / "none.tar"))
    assert (done.exit_code, "There is no file" in done.output) == (1, True)
    piped = run(full, "backup", "-")
    assert piped.exit_code == 0
    get_settings.cache_clear()
