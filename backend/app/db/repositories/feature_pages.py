"""The table of features: filters, sorting by any measured column, pages and cursors."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    inspect,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from app.core.errors import ValidationFailed
from app.db.models import Feature, FeatureCount
from app.db.models.feature import NUMERIC_COLUMNS
from app.db.repositories.base import SortOrder
from app.db.repositories.feature_search import (
    MAX_IDS,
    find_ids,
    forgive_slips,
    relevance,
    row_matches,
)

RELEVANCE = "relevance"
SORT_KEY = "sort_key"
# Columns of the table, not attributes of the mapped class: what is read of them are plain rows,
# which take half the time.
_AT = Feature.__table__.c
NAMED = func.lower(func.coalesce(_AT.name, _AT.label))
SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    **{name: _AT[name] for name in NUMERIC_COLUMNS},
    "id": _AT.id,
    "neuron_index": _AT.neuron_index,
    "name": NAMED,
    "label": func.lower(_AT.label),
    "top_token": func.lower(_AT.top_token),
    "cluster": _AT.cluster,
    "activation": _AT.activation_frequency,
    "interpretability": _AT.interpretability_score,
}
TEXT_COLUMNS = frozenset({"name", "label", "top_token"})
MAX_COUNTED = 10_000
"""Rows of a filtered table are counted up to here; nobody reads further, and it takes time."""
RANGE_COLUMNS = (*NUMERIC_COLUMNS, "neuron_index", "cluster", "map_x", "map_y")
TIMES = ("created_at", "updated_at")
LISTED_NAMES = tuple(
    attribute.key
    for attribute in inspect(Feature).column_attrs
    if not attribute.deferred and attribute.key not in TIMES
)
"""What a table shows of a feature."""
_LISTED = tuple(_AT[name] for name in LISTED_NAMES)
_ALL_COUNTED = select(func.coalesce(func.sum(FeatureCount.__table__.c.n), 0))
_COUNTED = _ALL_COUNTED.where(FeatureCount.__table__.c.training_id == bindparam("training_id"))
_IN_TRAINING = _AT.training_id == bindparam("training_id")
_IS_TIED = and_(_AT.neuron_index == bindparam("index"), _AT.id > bindparam("id"))
_LATER = or_(_AT.neuron_index > bindparam("index"), _IS_TIED)
_EARLIER = or_(_AT.neuron_index < bindparam("index"), _IS_TIED)
Way = Literal["first", "number", "cursor"]
"""How a page is reached."""


@dataclass(frozen=True)
class FeatureFilter:
    """Which features a table shows; empty fields let everything pass.

    ``ranges`` maps columns of ``RANGE_COLUMNS`` to bounds, both inclusive; a feature without a
    value is in no range. ``tags`` must all be there. ``live`` are further hits of the search with
    their relevance, by id.
    """

    training_id: UUID | None = None
    search: str | None = None
    is_favorite: bool | None = None
    tags: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    live: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FeaturePage:
    """Rows hold ``LISTED_NAMES`` and the sort key. If ``is_capped``, there are more in all."""

    items: list[Row[Any]]
    total: int
    is_capped: bool
    next_cursor: str | None


def require_usable(
    wanted: FeatureFilter, sort_by: str, order: SortOrder, cursor: str | None
) -> None:
    """Refuse what ``list_page`` would refuse, before anything slow is done for it.

    Raises:
        ValidationFailed: Unknown column, or a cursor of another sorting.
    """
    _sort_column(wanted, sort_by)
    if cursor:
        _read_cursor(cursor, sort_by, order)


def list_page(
    session: Session,
    wanted: FeatureFilter,
    *,
    sort_by: str = "activation_frequency",
    order: SortOrder = "desc",
    limit: int = 50,
    offset: int = 0,
    cursor: str | None = None,
) -> FeaturePage:
    """Read a page; features without a value come last in both directions.

    Rows with and without a value are two statements, so that one index per column serves both
    directions. Equal values are ordered by index.

    Args:
        session: Open session.
        wanted: Filter.
        sort_by: A key of ``SORT_COLUMNS``, or "relevance" with a search.
        order: Direction.
        limit: Rows.
        offset: Rows before the page, for pages by number.
        cursor: ``next_cursor`` of the page before, instead of an offset: as quick on the last
            page as on the first.

    Raises:
        ValidationFailed: Unknown column, or a cursor of another sorting.
    """
    column = _sort_column(wanted, sort_by)
    conditions, many = _conditions(wanted), False
    if wanted.search:
        forgive_slips(session)
        ids = find_ids(session, wanted.training_id, wanted.search)
        conditions.append(_is_found(session, wanted, ids, by_relevance=sort_by == RELEVANCE))
        plain = FeatureFilter(wanted.training_id, wanted.search, live=wanted.live)
        many = ids is None and wanted == plain
    is_plain = wanted == FeatureFilter(wanted.training_id)
    after = _read_cursor(cursor, sort_by, order) if cursor else None
    rows: list[Any] = []
    if after is None or after["value"] is not None:
        way: Way = "cursor" if after else "number" if offset else "first"
        is_one_training = wanted.training_id is not None
        if is_plain:
            page = _plain_page(sort_by, order, way, is_one_training)
        else:
            page = _page(column, order, way, is_one_training, tuple(conditions))
        place = {"training_id": wanted.training_id, "limit": limit, "offset": offset}
        rows = list(session.execute(page, place | (after or {})).all())
    if is_plain and rows:
        total, is_capped = int(rows[0].total), False
    else:
        total, is_capped = (MAX_IDS, True) if many else _count_up(session, wanted, conditions)
    if len(rows) < limit:
        skipped = 0
        if offset and not rows:
            skipped = offset - _count(session, [*conditions, column.is_not(None)])
        without = _without_value(column, conditions, after).offset(max(skipped, 0))
        rows += session.execute(without.limit(limit - len(rows))).all()
    is_deep = cursor is not None or is_capped or offset + len(rows) < total
    last = _write_cursor(rows[-1], sort_by, order) if len(rows) == limit and is_deep else None
    return FeaturePage(rows, total, is_capped, last)


def list_after(session: Session, wanted: FeatureFilter, after: int, limit: int) -> list[Feature]:
    """Features of one training behind an index, in its order; for whoever reads all of them."""
    statement = select(Feature).where(*_all_conditions(session, wanted))
    statement = statement.where(Feature.neuron_index > after).order_by(Feature.neuron_index)
    return list(session.scalars(statement.limit(limit)))


def count_features(session: Session, training_id: UUID | None) -> int:
    """How many features a training has, or all have together."""
    if training_id is None:
        return int(session.scalar(_ALL_COUNTED) or 0)
    return int(session.scalar(_COUNTED, {"training_id": training_id}) or 0)


def count_all(session: Session, wanted: FeatureFilter, most: int | None = None) -> int:
    """How many features a filter lets pass, counted up to ``most``."""
    return _count(session, _all_conditions(session, wanted), most)


def _all_conditions(session: Session, wanted: FeatureFilter) -> list[ColumnElement[bool]]:
    conditions = _conditions(wanted)
    if wanted.search:
        forgive_slips(session)
        ids = find_ids(session, wanted.training_id, wanted.search)
        conditions.append(_is_found(session, wanted, ids, by_relevance=False))
    return conditions


@lru_cache(maxsize=256)
def _plain_page(sort_by: str, order: SortOrder, way: Way, is_one_training: bool) -> Select[Any]:
    """A page without a filter, and in each row how many there are: one statement less.

    Kept, because composing the statement takes as long as its execution.
    """
    conditions = (_IN_TRAINING,) if is_one_training else ()
    page = _page(SORT_COLUMNS[sort_by], order, way, is_one_training, conditions)
    counted = _COUNTED if is_one_training else _ALL_COUNTED
    return page.add_columns(counted.scalar_subquery().label("total"))


def _page(
    column: ColumnElement[Any],
    order: SortOrder,
    way: Way,
    is_one_training: bool,
    conditions: tuple[ColumnElement[bool], ...],
) -> Select[Any]:
    """Features with a value; parameters are the limit, the offset or the fields of a cursor."""
    directions = _directions(column, order, is_one_training=is_one_training)
    limit, offset = bindparam("limit", type_=Integer), bindparam("offset", type_=Integer)
    listed = select(*_LISTED, column.label(SORT_KEY))
    with_value = listed.where(*conditions, column.is_not(None)).order_by(*directions)
    if way == "cursor":
        return with_value.where(_beyond(column, order)).limit(limit)
    page = with_value.offset(offset).limit(limit)
    if way == "first" or not is_one_training:
        return page
    # What lies before the page is passed in the index, its rows unread.
    places = page.with_only_columns(_AT.neuron_index)
    return listed.where(_IN_TRAINING, _AT.neuron_index.in_(places)).order_by(*directions)


def _without_value(
    column: ColumnElement[Any],
    conditions: list[ColumnElement[bool]],
    after: dict[str, Any] | None,
) -> Select[Any]:
    keyed = select(*_LISTED, column.label(SORT_KEY)).where(*conditions)
    statement = keyed.where(column.is_(None)).order_by(_AT.neuron_index, _AT.id)
    if after is None or after["value"] is not None:
        return statement
    return statement.where(_LATER).params(index=after["index"], id=after["id"])


def _is_found(
    session: Session, wanted: FeatureFilter, ids: set[int] | None, *, by_relevance: bool
) -> ColumnElement[bool]:
    """A condition that is cheap for few matches and for many.

    Few are looked up and sorted. Of many, the sorted table is walked until a page is full; by
    relevance there is nothing to walk along, so the first ``MAX_IDS`` are ranked.
    """
    search = wanted.search or ""
    if ids is None and not by_relevance:
        matches = row_matches(search)
        return or_(matches, _AT.id.in_(wanted.live)) if wanted.live else matches
    if ids is None:
        found = select(_AT.id).where(*_conditions(wanted), row_matches(search)).limit(MAX_IDS)
        ids = set(session.scalars(found))
    return _AT.id.in_(ids | wanted.live.keys())


def _count_up(
    session: Session, wanted: FeatureFilter, conditions: list[ColumnElement[bool]]
) -> tuple[int, bool]:
    """Number of rows, and whether counting stopped before all of them."""
    if wanted == FeatureFilter(training_id=wanted.training_id):
        return count_features(session, wanted.training_id), False
    most = MAX_IDS if wanted.search else MAX_COUNTED
    counted = _count(session, conditions, most + 1)
    return min(counted, most), counted > most


def _count(session: Session, conditions: list[ColumnElement[bool]], most: int | None = None) -> int:
    rows = select(literal(1)).select_from(Feature).where(*conditions).limit(most)
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def _conditions(wanted: FeatureFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.training_id is not None:
        found.append(_AT.training_id == wanted.training_id)
    if wanted.is_favorite is not None:
        found.append(_AT.is_favorite.is_(wanted.is_favorite))
    if wanted.tags:
        found.append(_AT.tags.contains(list(wanted.tags)))
    for name, (low, high) in wanted.ranges.items():
        column = _AT[name]
        found += [column >= low] if low is not None else []
        found += [column <= high] if high is not None else []
    return found


def _sort_column(wanted: FeatureFilter, sort_by: str) -> ColumnElement[Any]:
    if sort_by == RELEVANCE and wanted.search:
        by_text = relevance(wanted.search)
        if not wanted.live:
            return by_text
        by_firing = case(dict(wanted.live), value=_AT.id, else_=0.0)
        return func.greatest(by_text, by_firing)
    if sort_by not in SORT_COLUMNS:
        choices = sorted(SORT_COLUMNS)
        raise ValidationFailed(
            f"Cannot sort by '{sort_by}'. Choose one of: {', '.join(choices)}; with a search also "
            f"{RELEVANCE}.",
            details={"field": "sort_by", "value": sort_by, "choices": choices},
        )
    return SORT_COLUMNS[sort_by]


def _directions(
    column: ColumnElement[Any], order: SortOrder, *, is_one_training: bool
) -> list[ColumnElement[Any]]:
    """Equal values by index; within one training nothing is equal then, and its index has no id."""
    is_down = order == "desc"
    index = _AT.neuron_index.asc() if is_down else _AT.neuron_index.desc()
    found: list[ColumnElement[Any]] = [column.desc() if is_down else column.asc(), index]
    return found if is_one_training else [*found, _AT.id.asc()]


def _beyond(column: ColumnElement[Any], order: SortOrder) -> ColumnElement[bool]:
    """Rows behind a place. The first bound says nothing new; the index is entered there by it."""
    value: ColumnElement[Any] = bindparam("value", type_=column.type)
    is_down = order == "desc"
    bound = column <= value if is_down else column >= value
    further = column < value if is_down else column > value
    return and_(bound, or_(further, and_(column == value, _LATER if is_down else _EARLIER)))


def _write_cursor(row: Row[Any], sort_by: str, order: SortOrder) -> str:
    place = [sort_by, order, row.sort_key, row.neuron_index, row.id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _is_value_of(sort_by: str, value: Any) -> bool:
    """Whether the database can compare it with the column; a cursor may be anybody's text."""
    if isinstance(value, str):
        value.encode()  # a broken surrogate is a ValueError
        return sort_by in TEXT_COLUMNS and "\0" not in value
    return value is None or (type(value) in (int, float) and sort_by not in TEXT_COLUMNS)


def _read_cursor(cursor: str, sort_by: str, order: SortOrder) -> dict[str, Any]:
    try:
        own_sort, own_order, value, index, feature_id = json.loads(
            base64.urlsafe_b64decode(cursor.encode())
        )
        if (own_sort, own_order) != (sort_by, order) or not _is_value_of(sort_by, value):
            raise ValueError
        if type(index) is not int or type(feature_id) is not int:
            raise TypeError
        return {"value": value, "index": index, "id": feature_id}
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise ValidationFailed(
            "This cursor belongs to another sorting. Start from the first page.",
            details={"field": "cursor"},
        ) from error
