"""Engine and sessions: one engine per process, one short transaction per unit of work."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.config import get_settings

CONNECT_TIMEOUT_SECONDS = 5
# A connection that was used so recently is taken as alive: asking first is half of a small request.
FRESH_SECONDS = 1.0
SERVER_OPTIONS = (
    "-c timezone=UTC -c lock_timeout=10s -c statement_timeout=120s "
    "-c idle_in_transaction_session_timeout=300s"
)


def build_engine(url: str, **options: Any) -> Engine:
    """An engine that notices dead connections before it hands one out, if they rested."""
    connect_args = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "options": SERVER_OPTIONS,
        "application_name": "mistudio",
        "keepalives_idle": 30,
    }
    defaults: dict[str, Any] = {"pool_recycle": 1800, "pool_timeout": 10}
    engine = create_engine(use_psycopg2(url), connect_args=connect_args, **(defaults | options))
    event.listen(engine, "checkin", _remember_use)
    event.listen(engine, "checkout", _ask_if_rested(engine))
    return engine


def _remember_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _ask_if_rested(engine: Engine) -> Callable[..., None]:
    def ask(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < FRESH_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError(str(error)) from error  # the pool opens another

    return ask


def use_psycopg2(url: str) -> str:
    """The address with our driver named; SQLAlchemy's own choice would be another one."""
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgres", "postgresql"}:
        scheme = "postgresql+psycopg2"
    return f"{scheme}{separator}{rest}"


@lru_cache(maxsize=1)
def get_engine() -> Engine:
    """The engine of this process, made on first use."""
    settings = get_settings()
    return build_engine(
        settings.require_database_url(), pool_size=settings.database_pool_size, max_overflow=8
    )


@lru_cache(maxsize=1)
def get_session_factory() -> sessionmaker[Session]:
    return sessionmaker(bind=get_engine(), expire_on_commit=False)


@contextmanager
def session_scope() -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when it raises."""
    with get_session_factory()() as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


def reset_engine(*, close: bool = True) -> None:
    """Forget the engine of this process.

    Args:
        close: False in a forked child, whose copies of the sockets belong to the parent.
    """
    if get_engine.cache_info().currsize:
        get_engine().dispose(close=close)
    get_engine.cache_clear()
    get_session_factory.cache_clear()
