"""What training and extraction templates share: found by id, named once, changed by versions."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.db.models import ExtractionTemplate, TrainingTemplate
from app.db.repositories import templates
from app.db.repositories.base import lock_until_commit
from app.schemas.common import ResponseModel
from app.schemas.template import ExtractionTemplateRead, TrainingTemplateRead
from app.services.ml_settings import refuse_field
from app.services.paging import RowPage, SortOrder
from app.services.versions import require_match

TemplateT = TypeVar("TemplateT", TrainingTemplate, ExtractionTemplate)
ReadT = TypeVar("ReadT", bound=ResponseModel)


class TemplateNotFound(NotFound):
    pass


class TemplateNameTaken(Conflict):
    pass


@dataclass(frozen=True)
class Kind(Generic[TemplateT, ReadT]):
    """A table of templates, how its rows are shown and what they are called."""

    table: type[TemplateT]
    read: type[ReadT]
    noun: str


TRAINING = Kind(TrainingTemplate, TrainingTemplateRead, "training template")
EXTRACTION = Kind(ExtractionTemplate, ExtractionTemplateRead, "extraction template")


def list_page(
    session: Session,
    kind: Kind[TemplateT, ReadT],
    *,
    page: int,
    limit: int,
    is_favorite: bool | None = None,
    search: str | None = None,
    model_id: UUID | None = None,
    sort_by: str = "is_favorite",
    order: SortOrder = "desc",
) -> RowPage[ReadT]:
    rows = templates.list_page(
        session,
        kind.table,
        page=page,
        limit=limit,
        is_favorite=is_favorite,
        search=search,
        model_id=model_id,
        sort_by=sort_by,
        order=order,
    )
    items = [kind.read.model_validate(row) for row in rows.items]
    return RowPage(items, rows.page, rows.limit, rows.total)


def require(
    session: Session, kind: Kind[TemplateT, ReadT], template_id: UUID, *, lock: bool = False
) -> TemplateT:
    row = templates.get(session, kind.table, template_id, lock=lock)
    if row is None:
        raise TemplateNotFound(
            f"This {kind.noun} does not exist; it may have been deleted.",
            details={"template_id": str(template_id)},
        )
    return row


def read(session: Session, kind: Kind[TemplateT, ReadT], template_id: UUID) -> ReadT:
    return kind.read.model_validate(require(session, kind, template_id))


def create(session: Session, kind: Kind[TemplateT, ReadT], values: dict[str, Any]) -> ReadT:
    """
    Raises:
        TemplateNameTaken: There is one of this name.
    """
    _take_name(session, kind, values, None)
    row = kind.table(**values)
    session.add(row)
    session.flush()
    return kind.read.model_validate(row)


def change(
    session: Session,
    kind: Kind[TemplateT, ReadT],
    template_id: UUID,
    values: dict[str, Any],
    if_match: str | None = None,
) -> ReadT:
    """Set the given columns; the same values a second time change nothing.

    Raises:
        TemplateNotFound: No such template.
        PreconditionFailed: ``if_match`` names another state of it.
        TemplateNameTaken: Another one has this name.
    """
    row = require(session, kind, template_id, lock=True)
    require_match(kind.read.model_validate(row), if_match)
    if "name" in values:
        _take_name(session, kind, values, row)
    for name, value in values.items():
        setattr(row, name, value)
    if session.is_modified(row):
        row.updated_at = func.now()
    session.flush()
    return kind.read.model_validate(row)


def delete(
    session: Session,
    kind: Kind[TemplateT, ReadT],
    template_id: UUID,
    if_match: str | None = None,
) -> ReadT:
    """Delete a template; what was made with it stays.

    Returns:
        What was deleted, so that it can be created again.
    """
    row = require(session, kind, template_id, lock=True)
    deleted = kind.read.model_validate(row)
    require_match(deleted, if_match)
    session.delete(row)
    session.flush()
    return deleted


def clean_name(given: str) -> str:
    """
    Raises:
        ValidationFailed: Nothing but spaces.
    """
    name = given.strip()
    if not name:
        refuse_field("name", "must not be empty", "")
    return name


def lock_names(session: Session, kind: Kind[TemplateT, ReadT]) -> None:
    """Nobody else gives a name before the commit."""
    lock_until_commit(session, f"{kind.table.__tablename__}.name")


def _take_name(
    session: Session,
    kind: Kind[TemplateT, ReadT],
    values: dict[str, Any],
    row: TemplateT | None,
) -> None:
    values["name"] = name = clean_name(values["name"])
    lock_names(session, kind)
    existing = templates.find_by_name(session, kind.table, name)
    if existing is not None and existing is not row:
        raise TemplateNameTaken(
            f'Another {kind.noun} has the name "{existing.name}" already. Choose another.',
            details={"field": "name", "value": name, "template_id": str(existing.id)},
        )
