"""What every repository shares: pages, sorting, search patterns."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core import priority
from app.core.errors import ValidationFailed

T = TypeVar("T")
SortOrder = Literal["asc", "desc"]
SortColumn = InstrumentedAttribute[Any] | ColumnElement[Any]


@dataclass(frozen=True)
class RowPage(Generic[T]):
    """One page of rows and how many there are in all."""

    items: list[T]
    page: int
    limit: int
    total: int

    @property
    def has_next(self) -> bool:
        return self.page * self.limit < self.total


def allow_long_statements(session: Session) -> None:
    """Lift the time limit of statements until the transaction ends, for work of a job.

    Millions of contexts take longer to load or to delete than any request may take; a job that
    hangs is ended by its lease.
    """
    session.execute(text("SET LOCAL statement_timeout = 0"))


def make_way(session: Session) -> None:
    """Let the database's process of this connection take what time other connections leave.

    For the work of a job, whose connection ends with it. Possible where the server is a process of
    our own on this machine, as in the native installation; elsewhere nothing happens.
    """
    process = Path(f"/proc/{session.scalar(text('SELECT pg_backend_pid()'))}")
    with suppress(OSError):
        if (process / "comm").read_text().startswith("postgres"):
            priority.make_way(int(process.name))


def paginate(session: Session, statement: Select[T], page: int, limit: int) -> RowPage[T]:
    """Run a statement for one page.

    Args:
        session: Open session.
        statement: Filtered and ordered; the order needs a unique last key to be stable.
        page: 1-based.
        limit: Rows per page.
    """
    total = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery()))
    rows = session.scalars(statement.offset((page - 1) * limit).limit(limit)).all()
    return RowPage(list(rows), page, limit, total or 0)


def order_by(
    statement: Select[T],
    columns: Mapping[str, SortColumn],
    sort_by: str,
    order: SortOrder,
    tie_break: SortColumn,
) -> Select[T]:
    """Sort by one of ``columns``; rows without a value come last in both directions.

    Raises:
        ValidationFailed: ``sort_by`` is not among ``columns``.
    """
    if sort_by not in columns:
        raise ValidationFailed(
            f"Cannot sort by '{sort_by}'. Choose one of: {', '.join(sorted(columns))}.",
            details={"field": "sort_by", "value": sort_by, "choices": sorted(columns)},
        )
    column = columns[sort_by]
    directed = column.desc() if order == "desc" else column.asc()
    return statement.order_by(directed.nulls_last(), tie_break)


def contains_pattern(search: str) -> str:
    """ILIKE pattern for a literal substring; use with ``escape="\\\\"``."""
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def lock_until_commit(session: Session, key: str) -> None:
    """Let one transaction at a time pass for a key (a name that must stay unique, …)."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
