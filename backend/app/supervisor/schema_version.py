"""Whether the database needs a migration, asked without the database layer (2 s of a start)."""

import re
from pathlib import Path

import psycopg2

VERSIONS_FOLDER = Path(__file__).resolve().parents[2] / "alembic" / "versions"
_REVISION = re.compile(r"^(down_)?revision\b[^=]*= *[\"'](\w+)[\"']", re.MULTILINE)


def newest_revision(folder: Path = VERSIONS_FOLDER) -> str | None:
    """The revision that no other one follows; None when there is not exactly one."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for file in folder.glob("*.py"):
        for down, name in _REVISION.findall(file.read_text(encoding="utf-8")):
            (followed if down else revisions).add(name)
    heads = revisions - followed
    return heads.pop() if len(heads) == 1 else None


def current_revision(database_url: str) -> str | None:
    """The revision that the database stands at; None before the first migration.

    Raises:
        psycopg2.OperationalError: the server does not answer.
    """
    connection = psycopg2.connect(plain_url(database_url), connect_timeout=5)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT version_num FROM alembic_version")
            row = cursor.fetchone()
            return str(row[0]) if row else None
    except psycopg2.errors.UndefinedTable:
        return None
    finally:
        connection.close()


def is_up_to_date(database_url: str) -> bool:
    """Whether it stands at the newest revision; any doubt counts as no, and Alembic decides."""
    try:
        current = current_revision(database_url)
    except psycopg2.Error:
        return False
    return current is not None and current == newest_revision()


def plain_url(database_url: str) -> str:
    """The address without SQLAlchemy's driver name, as libpq wants it."""
    scheme, separator, rest = database_url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"
