"""The embedded PostgreSQL: its data outlives stops, kills, stale locks and taken ports."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from app.supervisor import launch, ports
from app.supervisor.embedded import PostgresFailed, PostgresServer, start_postgres
from app.supervisor.postgres_cluster import serves

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One cluster with one row in it; each test leaves it running."""
    server = start_postgres(tmp_path_factory.mktemp("postgres-home"))
    execute(server, "CREATE TABLE kept (word text)")
    execute(server, "INSERT INTO kept VALUES ('straße')")
    yield server
    server.stop()


def execute(server: PostgresServer, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(server.url, connect_timeout=60)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def words(server: PostgresServer) -> list[object]:
    return [row[0] for row in execute(server, "SELECT word FROM kept")]


def test_it_answers_and_nobody_else_reads_its_files(server: PostgresServer) -> None:
    run = server.home / "run"

    assert server.is_ready()
    assert server.password not in repr(server)
    assert server.data_folder.stat().st_mode & 0o777 == 0o700
    assert (run / "postgres.password").stat().st_mode & 0o777 == 0o600
    assert not list(server.home.glob("postgres-new-*")), "initdb's temporary folder is gone"


def test_search_ignores_case_in_every_script(server: PostgresServer) -> None:
    assert execute(server, "SELECT upper('äöя'), 'ÄÖЯ' ILIKE 'äöя'") == [("ÄÖЯ", True)]


def test_a_wrong_password_does_not_enter(server: PostgresServer) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(server.url.replace(server.password, "guess"))


def test_a_stop_and_a_start_keep_rows_and_address(server: PostgresServer) -> None:
    address, pid = server.url, server.pid
    server.start()  # runs already: nothing happens
    assert server.pid == pid

    server.stop()
    assert (server.is_running(), server.is_ready(), server.pid) == (False, False, None)
    server.stop()  # nothing runs: nothing happens
    server.start()

    assert server.url == address
    assert words(server) == ["straße"]


def test_rows_survive_kill_9_with_a_transaction_open(server: PostgresServer) -> None:
    open_connection = psycopg2.connect(server.url)
    open_connection.cursor().execute("INSERT INTO kept VALUES ('never committed')")
    kill(server)

    server.start()

    assert words(server) == ["straße"]
    open_connection.close()


def test_an_orphaned_server_is_stopped_before_the_next_one_starts(server: PostgresServer) -> None:
    orphan = psutil.Process(server.pid)
    # Reads its exit as its parent would; without that it stays a zombie of this process.
    reaper = threading.Thread(target=server.process.wait if server.process else None)
    reaper.start()
    server.process = None

    server.start()

    reaper.join(120)
    assert not orphan.is_running()
    assert words(server) == ["straße"]


def test_a_server_is_known_where_its_working_folder_cannot_be_read(
    server: PostgresServer,
) -> None:
    """As for root in a container, whose server is another user."""
    folder, elsewhere = server.data_folder, server.home / "elsewhere"
    [child, *_] = psutil.Process(server.pid).children()
    command = psutil.Process(server.pid).cmdline()

    assert serves(folder, None, command, 1)
    assert serves(folder, None, child.cmdline(), child.ppid())
    assert not serves(elsewhere, None, command, 1)
    assert not serves(elsewhere, None, child.cmdline(), child.ppid())
    assert not serves(folder, None, None, os.getpid())
    assert serves(folder, str(folder), None, 1)
    assert not serves(folder, str(elsewhere), command, 1)


def test_a_lock_that_names_a_stranger_is_removed(server: PostgresServer) -> None:
    server.stop()
    lock = server.data_folder / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{server.data_folder}\n")

    server.start()

    assert words(server) == ["straße"]


def test_the_address_moves_when_its_port_is_taken(server: PostgresServer) -> None:
    server.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind((ports.LOOPBACK, server.port))
        squatter.listen()
        moved = start_postgres(server.home)
        assert moved.port != server.port
        assert words(moved) == ["straße"]
        moved.stop()

    again = start_postgres(server.home)
    assert again.port == moved.port, "the new port is remembered"
    again.stop()
    server.start()


def test_a_setting_it_refuses_is_told_in_its_own_words(server: PostgresServer) -> None:
    server.stop()
    file = server.data_folder / "postgresql.auto.conf"
    good = file.read_text()
    file.write_text(f"{good}\nno_such_setting = 'on'\n")
    try:
        with pytest.raises(PostgresFailed, match="no_such_setting"):
            server.start()
    finally:
        file.write_text(good)
    server.start()


def test_a_refusing_initdb_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.supervisor.postgres_cluster.USER", "pg_refused")
        with pytest.raises(PostgresFailed, match="initdb failed"):
            start_postgres(tmp_path)

    assert not (tmp_path / "postgres").exists()
    assert not list(tmp_path.glob("postgres-new-*"))


@as_root
def test_root_hands_over_to_nobody_where_namespaces_are_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden() -> None:
        raise OSError("user namespaces are not allowed here")

    (tmp_path / "postgres").mkdir()  # the rest of a copy that was cut short
    tmp_path.chmod(0o700)
    with monkeypatch.context() as patch:
        patch.setattr(launch, "in_own_user_namespace", forbidden)
        server = start_postgres(tmp_path)
        execute(server, "CREATE TABLE kept (word text)")
        assert psutil.Process(server.pid).uids().effective == launch.NOBODY
        assert owners(server) == {launch.NOBODY}
        server.stop()

    server = start_postgres(tmp_path)
    assert words(server) == []
    _, owner = launch.choose_identity(Path("/bin/true"))
    assert owners(server) == {owner}
    server.stop()


def owners(server: PostgresServer) -> set[int]:
    return {path.stat().st_uid for path in (server.data_folder, *server.data_folder.iterdir())}


def kill(server: PostgresServer) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(120)
