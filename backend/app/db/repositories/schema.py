"""What the database says of its own version."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.release import RECORD_QUERY, SchemaRecord


def read_record(session: Session) -> SchemaRecord:
    """Its revision, and the release that brought it there; nothing before the first migration."""
    if session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return SchemaRecord(None, None, {})
    row = session.execute(text(RECORD_QUERY)).first()
    return SchemaRecord(None, None, {}) if row is None else SchemaRecord.parse(row[0], row[1])
