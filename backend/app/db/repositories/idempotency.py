"""Queries on idempotency keys."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.db.models import IdempotencyKey


def try_lock(session: Session, key: str) -> bool:
    """Whether no other transaction works on this key now; held until the commit."""
    hashed = func.hashtextextended(f"idempotency:{key}", 0)
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(hashed))))


def get(session: Session, key: str, *, kept: timedelta) -> IdempotencyKey | None:
    statement = select(IdempotencyKey).where(
        IdempotencyKey.key == key, IdempotencyKey.created_at >= func.now() - kept
    )
    return session.scalar(statement)


def add(session: Session, row: IdempotencyKey, *, kept: timedelta) -> None:
    """Remember an answer, and forget those that are too old."""
    session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.created_at < func.now() - kept),
        execution_options={"synchronize_session": False},
    )
    session.add(row)
    session.flush()
