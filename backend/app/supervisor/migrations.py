"""Bringing the database's tables to the newest version, one process at a time."""

import sys
from pathlib import Path

import psycopg2
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.core.config import Settings, get_settings
from app.supervisor.schema_version import current_revision, plain_url

BACKEND_FOLDER = Path(__file__).resolve().parents[2]
# Any number that only this program uses; two `mistudio up` on one database then take turns.
_ADVISORY_LOCK = 7_204_455_917


class SchemaIsNewer(Exception):
    """A newer version of this program has changed the database; this one does not know how."""


def alembic_config(database_url: str) -> Config:
    """The configuration of ``backend/alembic``, pointed at one database."""
    config = Config(BACKEND_FOLDER / "alembic.ini")
    config.set_main_option("script_location", str(BACKEND_FOLDER / "alembic"))
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def upgrade_to_head(database_url: str) -> None:
    """Run every migration that is missing; safe to call from several processes at once.

    Each revision is one transaction: a process killed in the middle leaves the one before it.

    Raises:
        SchemaIsNewer: the database stands at a revision that this program does not have.
    """
    lock = psycopg2.connect(plain_url(database_url))
    try:
        lock.autocommit = True
        with lock.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
            _refuse_newer(database_url)
            command.upgrade(alembic_config(database_url), "head")
    finally:
        lock.close()  # ends the session, and with it the lock


def _refuse_newer(database_url: str) -> None:
    current = current_revision(database_url)
    known = {
        script.revision
        for script in ScriptDirectory.from_config(alembic_config(database_url)).walk_revisions()
    }
    if current is not None and current not in known:
        raise SchemaIsNewer(
            f"The database stands at revision {current}, which this version of the program does "
            "not know: a newer one has used it. Start that version, or restore a backup."
        )


def write_revision(database_url: str, message: str) -> None:
    """Write a migration from the difference between the tables' classes and the database."""
    command.revision(alembic_config(database_url), message=message, autogenerate=True)


def revisions(database_url: str) -> tuple[str | None, str | None]:
    """The revision that the database stands at, and the newest one of this program."""
    head = ScriptDirectory.from_config(alembic_config(database_url)).get_current_head()
    return current_revision(database_url), head


def main(settings: Settings | None = None) -> int:
    """Entry point of ``python -m app.supervisor.migrations``; the exit status."""
    settings = settings or get_settings()
    try:
        upgrade_to_head(settings.require_database_url())
    except SchemaIsNewer as error:
        print(error, file=sys.stderr)
        return 1
    print("database is at the newest version", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
