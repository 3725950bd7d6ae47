"""Engine and sessions: one engine per process, one short transaction per unit of work."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from app.core.config import get_settings

CONNECT_TIMEOUT_SECONDS = 5
SERVER_OPTIONS = (
    "-c timezone=UTC -c lock_timeout=10s -c statement_timeout=120s "
    "-c idle_in_transaction_session_timeout=300s"
)


def build_engine(url: str, **options: Any) -> Engine:
    """An engine that notices dead connections before it hands one out."""
    connect_args = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "options": SERVER_OPTIONS,
        "application_name": "mistudio",
        "keepalives_idle": 30,
    }
    defaults: dict[str, Any] = {"pool_pre_ping": True, "pool_recycle": 1800, "pool_timeout": 10}
    return create_engine(use_psycopg2(url), connect_args=connect_args, **(defaults | options))


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
