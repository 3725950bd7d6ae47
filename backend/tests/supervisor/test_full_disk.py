"""PostgreSQL on a disk that fills: statements fail, and with room again it goes on by itself."""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from app.supervisor.embedded import PostgresServer, start_postgres
from tests.fixtures.rig import wait_for
from tests.fixtures.small_disk import fill, small_disk

pytestmark = pytest.mark.faults
DISK_BYTES = 160_000_000  # a new cluster takes about 40 MB, its first log segments 16 MB each
TOO_MANY_ROWS = (
    "INSERT INTO t SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 100000) AS n"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    with small_disk(tmp_path / "home", DISK_BYTES) as home:
        server = start_postgres(home)
        yield server
        server.stop()


def execute(server: PostgresServer, words: str) -> int:
    connection = psycopg2.connect(server.url, connect_timeout=60)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(words)
            return cursor.fetchone()[0] if cursor.description else 0
    finally:
        connection.close()


@pytest.mark.fault(14)
def test_a_full_disk_costs_the_statement_and_no_repair(server: PostgresServer) -> None:
    execute(server, "CREATE TABLE t (n int, words text)")
    execute(server, "INSERT INTO t VALUES (1, 'kept')")
    filler = fill(server.home, leave_bytes=1_000_000)
    with pytest.raises(psycopg2.Error):
        execute(server, TOO_MANY_ROWS)
    filler.unlink()

    def goes_on() -> bool:
        """It may be about to end or to recover still, since its log could not grow."""
        if not server.is_running():  # as the supervisor does
            server.start()
        try:
            kept = execute(server, "SELECT count(*) FROM t WHERE words = 'kept'")
            execute(server, "INSERT INTO t SELECT n, 'more' FROM generate_series(1, 1000) AS n")
        except psycopg2.Error:
            return False
        return kept == 1

    wait_for(goes_on, "the row that was kept, and new ones")
