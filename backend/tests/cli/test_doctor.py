"""``doctor``: each finding with what to do about it, and an exit status that scripts can use."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner

from app.cli import doctor
from app.cli.checks import drift, machine, page, servers, torch_device
from app.cli.checks.outcome import Level
from app.cli.main import app
from app.core.config import Settings, get_settings
from app.supervisor import binaries, ports

NOWHERE = f"postgresql://nobody@{ports.LOOPBACK}:1/none"
program = CliRunner()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("MISTUDIO_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    return get_settings()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.usefixtures("settings")
def test_a_newcomers_machine_is_told_what_will_happen() -> None:
    answer = program.invoke(app, ["doctor"])

    lines = answer.output.splitlines()
    subjects = [line[2:13].strip() for line in lines[:-1] if line[0] in "✓!✗"]
    assert subjects == [
        *("python", "cores", "memory", "disk", "home", "torch", "embedder"),
        *("PostgreSQL", "Valkey", "migrations", "port", "page", "files"),
    ]
    assert "installed, not running" in answer.output
    assert ("to mend" in lines[-1]) == (answer.exit_code == 1)


def test_a_taken_port_is_mended_by_another_one(
    taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISTUDIO_PORT", str(taken))
    monkeypatch.setenv("MISTUDIO_HOME", str(tmp_path))
    get_settings.cache_clear()
    monkeypatch.setattr(doctor, "CHECKS", (servers.check_port, machine.check_python))

    spoken = program.invoke(app, ["doctor"])
    machine_readable = program.invoke(app, ["doctor", "--json"])

    assert (spoken.exit_code, machine_readable.exit_code) == (1, 1)
    assert f"{taken} is taken" in spoken.output
    assert "1 to mend, 0 to know" in spoken.output
    assert json.loads(machine_readable.output)[0] == {
        "subject": "port",
        "level": "fail",
        "finding": f"{taken} is taken",
        "advice": "Choose another with MISTUDIO_PORT=…",
    }


@pytest.mark.usefixtures("settings")
def test_all_well_ends_with_status_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (machine.check_python,))

    answer = program.invoke(app, ["doctor"])

    assert (answer.exit_code, answer.output.splitlines()[-1]) == (0, "All is well.")


def test_given_servers_are_asked(servers_given: Settings) -> None:
    assert servers.check_postgres(servers_given).level is Level.OK
    assert servers.check_migrations(servers_given).finding.startswith("at the newest")
    assert "answers" in servers.check_valkey(servers_given).finding


@pytest.fixture
def servers_given(settings: Settings, servers: Settings) -> Settings:
    return Settings(
        home=settings.home, database_url=servers.database_url, redis_url=servers.redis_url
    )


def test_a_valkey_that_evicts_is_warned_of(servers_given: Settings) -> None:
    with redis.Redis.from_url(str(servers_given.redis_url)) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            outcome = servers.check_valkey(servers_given)
        finally:
            client.config_set("maxmemory-policy", "noeviction")

    assert (outcome.level, outcome.advice) == (Level.WARN, "Set maxmemory-policy to noeviction.")


def test_an_unmigrated_database_is_to_mend(servers_given: Settings) -> None:
    url = f"{str(servers_given.database_url).removesuffix('/mistudio')}/postgres"

    outcome = servers.check_migrations(Settings(home=servers_given.home, database_url=url))

    assert (outcome.level, outcome.advice) == (Level.FAIL, "Run `make migrate`.")


def test_servers_that_do_not_answer_are_to_mend(settings: Settings) -> None:
    lost = Settings(
        home=settings.home, database_url=NOWHERE, redis_url=f"redis://{ports.LOOPBACK}:1/0"
    )

    outcomes = [
        servers.check_postgres(lost),
        servers.check_valkey(lost),
        servers.check_migrations(lost),
    ]

    assert {outcome.level for outcome in outcomes} == {Level.FAIL}
    assert "DATABASE_URL" in outcomes[0].advice
    assert "REDIS_URL" in outcomes[1].advice


def test_servers_that_are_not_installed_are_to_mend(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(binaries, "_package_folder", lambda _name: None)
    monkeypatch.setattr(binaries, "_DEBIAN_FOLDER", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    outcomes = [servers.check_postgres(settings), servers.check_valkey(settings)]

    assert [outcome.finding for outcome in outcomes] == ["not found", "not found"]
    assert all("make setup" in outcome.advice for outcome in outcomes)


def test_a_port_of_nobodys_choice_gives_way(
    settings: Settings, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "port", taken)
    settings.model_fields_set.discard("port")

    assert "will be used" in servers.check_port(settings).finding


def test_a_folder_that_cannot_be_written_is_to_mend() -> None:
    outcome = machine.check_file_system(Settings(home=Path("/proc/mistudio")))

    assert outcome.level is Level.FAIL
    assert "MISTUDIO_HOME" in outcome.advice


def test_a_page_that_is_not_built_is_only_to_know(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, frontend_dist=tmp_path)
    assert page.check_page(settings).level is Level.WARN

    (tmp_path / "index.html").write_text("<title>MechInterp Studio</title>")
    assert page.check_page(settings).level is Level.OK


def test_a_torch_that_does_not_load_is_told_with_its_last_words(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libcudart.so.12 is missing')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    outcome = torch_device.check_torch(settings)

    assert outcome.level is Level.FAIL
    assert "libcudart.so.12 is missing" in outcome.finding


def test_a_missing_embedder_is_told_with_its_command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_device, "EMBEDDER_PACKAGE", "no_such_package")
    missing = torch_device.check_embedder(settings)
    assert (missing.level, missing.advice) == (Level.WARN, "Install it: `make embedder`.")
    monkeypatch.setattr(torch_device, "EMBEDDER_PACKAGE", "json")
    assert torch_device.check_embedder(settings).level is Level.OK


def test_little_memory_and_a_full_disk_are_to_mend(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_GIGABYTE", 10**18)

    outcomes = [machine.check_memory(settings), machine.check_disk(settings)]

    assert [outcome.level for outcome in outcomes] == [Level.FAIL, Level.FAIL]
    assert all(outcome.advice for outcome in outcomes)


def test_rows_and_files_are_brought_together(
    servers_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = servers_settings
    monkeypatch.setattr(doctor, "CHECKS", (drift.check_drift,))
    program.invoke(app, ["doctor", "--repair"])  # what other tests left in this home
    stray = settings.data_root / "models" / "a stray file.txt"
    stray.write_text("mine")
    try:
        assert "a stray file.txt: no row knows it" in " ".join(
            program.invoke(app, ["doctor"]).output.split()
        )
        answer = program.invoke(app, ["doctor", "--repair"])
        assert "move it to lost+found" in " ".join(answer.output.split())
        assert "agree with the database" in answer.output
        [kept] = (settings.data_root / "lost+found").glob("*a stray file.txt")
        assert kept.read_text() == "mine"
    finally:
        shutil.rmtree(settings.data_root / "lost+found", ignore_errors=True)


@pytest.fixture
def servers_settings(servers: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("MISTUDIO_HOME", str(servers.home))
    monkeypatch.setenv("DATABASE_URL", servers.require_database_url())
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()
