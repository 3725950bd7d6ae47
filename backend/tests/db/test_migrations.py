"""The revisions against a real PostgreSQL: up, down, up again, and no drift from the models."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text

from app.core.config import Settings
from app.db.base import Base
from app.db.models import N_PARTITIONS
from app.db.session import build_engine, get_engine
from app.supervisor.migrations import alembic_config


@pytest.fixture
def empty_database(servers: Settings) -> Iterator[str]:
    """Address of a fresh database on the tests' server."""
    name = f"migrations_{uuid4().hex[:8]}"
    with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
        yield servers.require_database_url().rpartition("/")[0] + f"/{name}"
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def engine(empty_database: str) -> Iterator[Engine]:
    engine = build_engine(empty_database)
    yield engine
    engine.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


@pytest.mark.fault(25)
def test_up_down_up_and_no_drift(empty_database: str, engine: Engine) -> None:
    config = alembic_config(empty_database)
    command.upgrade(config, "head")
    migrated = tables(engine)
    assert set(Base.metadata.tables) <= migrated
    command.check(config)
    command.downgrade(config, "base")
    assert tables(engine) == set()
    command.upgrade(config, "head")
    assert tables(engine) == migrated


def test_feature_activations_have_eight_hash_partitions(
    empty_database: str, engine: Engine
) -> None:
    command.upgrade(alembic_config(empty_database), "head")
    with engine.connect() as connection:
        bounds = connection.scalars(
            text(
                "SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_class c "
                "JOIN pg_inherits i ON i.inhrelid = c.oid "
                "WHERE i.inhparent = 'feature_activations'::regclass ORDER BY c.relname"
            )
        ).all()
    assert bounds == [
        f"FOR VALUES WITH (modulus {N_PARTITIONS}, remainder {number})"
        for number in range(N_PARTITIONS)
    ]


def test_times_carry_their_zone(empty_database: str, engine: Engine) -> None:
    command.upgrade(alembic_config(empty_database), "head")
    with engine.connect() as connection:
        naive = connection.scalars(
            text(
                "SELECT table_name || '.' || column_name FROM information_schema.columns "
                "WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'"
            )
        ).all()
    assert naive == []
