"""``migrate`` and ``openapi`` without a running stack, and the program's own help."""

import json
import os
import shutil
from pathlib import Path

import psycopg2
import pytest
from typer.testing import CliRunner

from app.cli.main import app
from app.core.config import Settings, get_settings
from app.core.paths import ensure_home
from app.supervisor import migrations
from app.supervisor.postgres_cluster import processes_in
from app.supervisor.schema_version import newest_revision
from app.supervisor.state import lock_home

program = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISTUDIO_HOME", str(tmp_path))
    get_settings.cache_clear()
    return tmp_path


def test_help_names_every_command() -> None:
    answer = program.invoke(app, ["--help"])

    assert answer.exit_code == 0
    for command in ("up", "down", "status", "doctor", "demo", "migrate", "openapi", "dev"):
        assert command in answer.output


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("MISTUDIO_TOKEN", "canary", "must have at least 16 characters"),
        ("MISTUDIO_PORT", "canary", "must be a valid integer"),
        ("MISTUDIO_PORT", "70000", "must be less than or equal to 65535"),
        ("MISTUDIO_LEASE_DURATION", "canary", "must be a valid timedelta"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    answer = program.invoke(app, ["status"])
    assert answer.exit_code == 2
    assert f"{variable} {words}" in answer.output
    assert "canary" not in answer.output
    assert "Traceback" not in answer.output


def test_openapi_needs_no_servers(home: Path) -> None:
    document = home / "openapi.json"

    answer = program.invoke(app, ["openapi", str(document)])

    assert answer.exit_code == 0, answer.output
    paths = json.loads(document.read_text())["paths"]
    assert f"{len(paths)} paths" in " ".join(answer.output.split())
    assert "/api/v1/trainings" in paths


def test_migrate_starts_the_embedded_server_for_a_moment(home: Path) -> None:
    answer = program.invoke(app, ["migrate"])

    assert answer.exit_code == 0, answer.output
    assert "The database stands at revision" in answer.output
    assert not processes_in(home / "postgres")
    os.close(lock_home(home / "run"))  # nobody holds the home any more


def test_migrate_waits_for_nobody_who_holds_the_home(home: Path) -> None:
    ensure_home(home)
    held = lock_home(home / "run")
    try:
        answer = program.invoke(app, ["migrate"])
    finally:
        os.close(held)

    assert answer.exit_code == 1
    assert "another supervisor uses" in answer.output


@pytest.mark.usefixtures("home")
def test_migrate_writes_a_new_revision_and_runs_it(
    servers: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = tmp_path / "backend"
    shutil.copytree(migrations.BACKEND_FOLDER / "alembic", backend / "alembic")
    shutil.copy(migrations.BACKEND_FOLDER / "alembic.ini", backend)
    monkeypatch.setattr(migrations, "BACKEND_FOLDER", backend)
    monkeypatch.setenv("DATABASE_URL", new_database(servers))
    get_settings.cache_clear()

    answer = program.invoke(app, ["migrate", "--message", "nothing new"])

    assert answer.exit_code == 0, answer.output
    versions = backend / "alembic" / "versions"
    assert len(list(versions.glob("*nothing_new.py"))) == 1
    revision = newest_revision(versions)
    assert f"revision {revision} (newest {revision})" in " ".join(answer.output.split())


def new_database(servers: Settings) -> str:
    """An empty database beside the one of the other tests."""
    connection = psycopg2.connect(servers.database_url)
    connection.autocommit = True
    connection.cursor().execute("CREATE DATABASE revisions")
    connection.close()
    return f"{str(servers.database_url).removesuffix('/mistudio')}/revisions"
