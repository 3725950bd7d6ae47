"""Whether the database needs a migration, asked without the database layer (2 s of a start)."""

import psycopg2

from app.core.release import RECORD_QUERY, RELEASE, SchemaRecord, newest_revision, revision_digests

# Exit status of the migrating process when it refuses a database; its last line says why.
REFUSED_STATUS = 3


def read_record(database_url: str) -> SchemaRecord:
    """What the database remembers of its revisions; nothing before the first migration.

    Raises:
        psycopg2.OperationalError: the server does not answer.
    """
    connection = psycopg2.connect(plain_url(database_url), connect_timeout=5)
    try:
        with connection.cursor() as cursor:
            cursor.execute(RECORD_QUERY)
            row = cursor.fetchone()
            return SchemaRecord.parse(*row) if row else SchemaRecord(None, None, {})
    except psycopg2.errors.UndefinedTable:
        return SchemaRecord(None, None, {})
    finally:
        connection.close()


def current_revision(database_url: str) -> str | None:
    """The revision that the database stands at; None before the first migration."""
    return read_record(database_url).revision


def edited_revisions(record: SchemaRecord) -> list[str]:
    """Applied revisions whose files are no longer as they were when they were applied."""
    now = revision_digests()
    return sorted(
        name for name, digest in record.digests.items() if now.get(name, digest) != digest
    )


def is_up_to_date(database_url: str) -> bool:
    """Whether nothing is left to do or to find out; any doubt counts as no, and Alembic decides."""
    try:
        record = read_record(database_url)
    except psycopg2.Error:
        return False
    return (
        record.revision is not None
        and record.revision == newest_revision()
        and record.release == RELEASE
        and record.digests == revision_digests()
    )


def plain_url(database_url: str) -> str:
    """The address without SQLAlchemy's driver name, as libpq wants it."""
    scheme, separator, rest = database_url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"
