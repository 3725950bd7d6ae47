"""Connections that died while they rested are replaced before anybody notices."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError

from app.core.config import Settings
from app.db import session as sessions

PID = text("SELECT pg_backend_pid()")


@pytest.fixture
def engine(servers: Settings) -> Iterator[Engine]:
    engine = sessions.build_engine(servers.require_database_url(), pool_size=1, max_overflow=0)
    yield engine
    engine.dispose()


def backend(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(PID))


def kill(engine: Engine, servers: Settings) -> int:
    """End the server's side of the pooled connection, as a restart of PostgreSQL does."""
    killed = backend(engine)
    other = sessions.build_engine(servers.require_database_url())
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": killed})
    other.dispose()
    return killed


def test_a_connection_that_died_at_rest_is_replaced(
    engine: Engine, servers: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "FRESH_SECONDS", 0.0)
    killed = kill(engine, servers)
    assert backend(engine) != killed


def test_one_that_died_fresh_fails_once_and_is_replaced_then(
    engine: Engine, servers: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "FRESH_SECONDS", 60.0)
    killed = kill(engine, servers)
    with pytest.raises(OperationalError) as caught:
        backend(engine)
    assert caught.value.connection_invalidated
    assert backend(engine) != killed


@pytest.mark.parametrize(("fresh", "asked"), [(60.0, 0), (0.0, 1)])
def test_only_a_rested_connection_is_asked(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, fresh: float, asked: int
) -> None:
    backend(engine)
    monkeypatch.setattr(sessions, "FRESH_SECONDS", fresh)
    pings: list[object] = []
    ping = engine.dialect.do_ping
    monkeypatch.setattr(
        engine.dialect, "do_ping", lambda connection: pings.append(connection) or ping(connection)
    )
    backend(engine)
    assert len(pings) == asked


def test_a_new_connection_speaks_utc(engine: Engine) -> None:
    seen: list[str] = []
    event.listen(engine, "connect", lambda *_: seen.append("connect"))
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW timezone")) == "UTC"
    assert seen == ["connect"]
