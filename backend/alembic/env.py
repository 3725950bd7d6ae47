"""Runs revisions against the address set as ``sqlalchemy.url``, else against our own database."""

from typing import Any

from alembic import context
from sqlalchemy import text

import app.db.models  # noqa: F401 - fills Base.metadata
from app.core.config import get_settings
from app.db.base import Base
from app.db.session import build_engine

# Any two migrators (two starts at once, a person and the supervisor) take turns on this key.
MIGRATION_LOCK_KEY = 0x6D697374
PARTITION_PREFIX = "feature_activations_p"


def include_object(item: Any, name: str | None, kind: str, reflected: bool, _: Any) -> bool:
    """Leave the hash partitions and their inherited indexes out of the comparison."""
    table = name if kind == "table" else getattr(getattr(item, "table", None), "name", "")
    return not (reflected and str(table).startswith(PARTITION_PREFIX))


def run_migrations_online() -> None:
    given = context.config.get_main_option("sqlalchemy.url")
    engine = build_engine(given or get_settings().require_database_url(), pool_size=1)
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0; SET lock_timeout = '120s'"))
        connection.execute(text("SELECT pg_advisory_lock(:key)").bindparams(key=MIGRATION_LOCK_KEY))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=include_object,
            compare_type=True,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run_migrations_online()
