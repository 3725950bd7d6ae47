"""The revisions against a real PostgreSQL: up, down, up again, and no drift from the models."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.db.base import Base
from app.db.models import N_PARTITIONS, FeatureActivation
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


def test_contexts_survive_being_packed_and_unpacked(empty_database: str, engine: Engine) -> None:
    config = alembic_config(empty_database)
    command.upgrade(config, "0008")
    tokens = ["a", " café", "\n", ""]
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))  # no training is needed
        connection.execute(
            text("INSERT INTO features (id, training_id, neuron_index) VALUES (7, :id, 0)"),
            {"id": uuid4()},
        )
        connection.execute(
            text(
                "INSERT INTO feature_activations (feature_id, kind, rank, split, document, "
                "position, token_ids, tokens, activations, max_activation, metadata) VALUES "
                "(7, 'top', 0, 'train', 1, 1, '[5, 70000, -1, 0]', CAST(:tokens AS jsonb), "
                "'[0, 2.25, -0.5, 1e-7]', 2.25, '{\"token_index\": 9}')"
            ),
            {"tokens": json.dumps(tokens)},
        )
    command.upgrade(config, "0009")
    with Session(engine) as session:
        [context] = session.scalars(select(FeatureActivation))
        assert (context.tokens, context.token_ids) == (tokens, [5, 70_000, -1, 0])
        assert context.activations == pytest.approx([0, 2.25, -0.5, 1e-7])
        assert (context.token_index, context.window_position, context.kind) == (9, None, "top")
    command.downgrade(config, "0008")
    with engine.connect() as connection:
        row = connection.execute(
            text("SELECT token_ids, tokens, activations, metadata FROM feature_activations")
        ).one()
    assert row[0] == [5, 70_000, -1, 0]
    assert row[1] == tokens
    assert row[2] == pytest.approx([0, 2.25, -0.5, 1e-7])
    assert row[3] == {"token_index": 9}
