"""The revisions against a real PostgreSQL: up, down, up again, and no drift from the models."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.db.base import Base
from app.db.models import N_PARTITIONS, FeatureActivation
from app.db.session import build_engine, get_engine
from app.supervisor.migrations import (
    EncodingWrong,
    RevisionEdited,
    SchemaIsNewer,
    alembic_config,
    upgrade_to_head,
)
from app.supervisor.schema_version import is_up_to_date, read_record
from tests.fixtures.rig import BACKEND, wait_for


@contextmanager
def new_database(servers: Settings, template: str = "template1") -> Iterator[str]:
    """Address of a database on the tests' server, empty or a copy."""
    name = f"migrations_{uuid4().hex[:8]}"
    with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        yield servers.require_database_url().rpartition("/")[0] + f"/{name}"
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def empty_database(servers: Settings) -> Iterator[str]:
    with new_database(servers) as address:
        yield address


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


def test_a_database_that_cannot_hold_every_text_is_refused(servers: Settings) -> None:
    with new_database(servers, "template0\" ENCODING 'SQL_ASCII' LOCALE \"C") as address:
        with pytest.raises(EncodingWrong, match="is in SQL_ASCII; texts need UTF8"):
            upgrade_to_head(address)
        engine = build_engine(address)
        assert tables(engine) == set()
        engine.dispose()


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


KEPT = (
    "INSERT INTO datasets (id, name, source, status) "
    "VALUES (gen_random_uuid(), 'kept', 'Local', 'ready')"
)
WAITS = (
    "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
    "WHERE NOT granted AND relation IS NOT NULL AND d.datname = current_database()"
)


@pytest.fixture
def old_database(servers: Settings, empty_database: str, engine: Engine) -> str:
    """A database of the version before, with a row in it."""
    config = alembic_config(empty_database)
    _newest, before, *_older = ScriptDirectory.from_config(config).walk_revisions()
    command.upgrade(config, before.revision)
    with engine.begin() as connection:
        connection.execute(text(KEPT))
    engine.dispose()
    return empty_database


@pytest.mark.fault(25)
def test_a_migration_killed_in_its_middle_is_whole_again_and_a_backup_goes_up(
    servers: Settings, old_database: str, engine: Engine
) -> None:
    with new_database(servers, template=old_database.rpartition("/")[2]) as backup:
        before = version(engine)
        _kill_in_the_middle(old_database, engine)
        assert version(engine) == before

        for address in (old_database, backup):
            upgrade_to_head(address)
            command.check(alembic_config(address))
            restored = build_engine(address)
            with restored.connect() as connection:
                assert connection.scalar(text("SELECT name FROM datasets")) == "kept"
            restored.dispose()


def _kill_in_the_middle(address: str, engine: Engine) -> None:
    """Every table is changed, the version is not yet written: then kill -9."""
    with engine.begin() as holder:
        holder.execute(text("LOCK TABLE alembic_version IN SHARE MODE"))
        process = subprocess.Popen(
            [sys.executable, "-m", "app.supervisor.migrations"],
            cwd=BACKEND,
            env=os.environ | {"DATABASE_URL": address},
            stderr=subprocess.DEVNULL,
        )
        with engine.connect() as connection:
            wait_for(lambda: connection.scalar(text(WAITS)), "a migration that waits")
        process.kill()
        process.wait()


@pytest.mark.long
@pytest.mark.fault(25)
def test_two_programs_that_start_together_take_turns(old_database: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "app.supervisor.migrations"],
            cwd=BACKEND,
            env=os.environ | {"DATABASE_URL": old_database},
        )
        for _ in range(3)
    ]
    assert [process.wait(600) for process in processes] == [0, 0, 0]
    assert is_up_to_date(old_database)


@pytest.mark.fault(25)
def test_a_revision_edited_after_it_was_applied(old_database: str, engine: Engine) -> None:
    upgrade_to_head(old_database)
    assert is_up_to_date(old_database)

    applied_as_another(old_database, engine)
    assert not is_up_to_date(old_database), "a start looks closer"
    upgrade_to_head(old_database)
    assert is_up_to_date(old_database), "words alone were edited: no table differs"

    applied_as_another(old_database, engine)
    with engine.begin() as connection:  # as if the edit had added this column
        connection.execute(text("ALTER TABLE datasets DROP COLUMN repo_id"))
    with pytest.raises(RevisionEdited, match=r"0001 was edited.*add_column datasets\.repo_id"):
        upgrade_to_head(old_database)
    assert not is_up_to_date(old_database), "the next start refuses, too"


def applied_as_another(address: str, engine: Engine) -> None:
    """As if the first revision's file had been another one when it was applied."""
    record = read_record(address)
    digests = {**record.digests, "0001": "of another file"}
    comment = replace(record, digests=digests).comment()
    with engine.begin() as connection:
        connection.exec_driver_sql("COMMENT ON TABLE alembic_version IS %s", (comment,))


def version(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


@pytest.mark.fault(25)
def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    old_database: str, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))
    with pytest.raises(SchemaIsNewer, match="restore a backup"):
        upgrade_to_head(old_database)
    assert version(engine) == "9999_future"
