"""The table of features: filters, sorting by any measured column, pages and cursors."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
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
from sqlalchemy.orm import InstrumentedAttribute, Session

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
NAMED = func.lower(func.coalesce(Feature.name, Feature.label))
SORT_COLUMNS: dict[str, ColumnElement[Any] | InstrumentedAttribute[Any]] = {
    **{name: getattr(Feature, name) for name in NUMERIC_COLUMNS},
    "id": Feature.id,
    "neuron_index": Feature.neuron_index,
    "name": NAMED,
    "label": func.lower(Feature.label),
    "top_token": func.lower(Feature.top_token),
    "cluster": Feature.cluster,
    "activation": Feature.activation_frequency,
    "interpretability": Feature.interpretability_score,
}
MAX_COUNTED = 10_000
"""Rows of a filtered table are counted up to here; nobody reads further, and it takes time."""
RANGE_COLUMNS = (*NUMERIC_COLUMNS, "neuron_index", "cluster", "map_x", "map_y")
TIMES = ("created_at", "updated_at")
LISTED = tuple(
    attribute.class_attribute
    for attribute in inspect(Feature).column_attrs
    if not attribute.deferred and attribute.key not in TIMES
)
"""What a table shows of a feature, read as plain rows: objects of the mapped class would take more
time than the query."""
LISTED_NAMES = tuple(attribute.key for attribute in LISTED)
_ALL_COUNTED = select(func.coalesce(func.sum(FeatureCount.n), 0))
_COUNTED = _ALL_COUNTED.where(FeatureCount.training_id == bindparam("training_id"))


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
    """Rows hold the columns of ``LISTED``; ``total`` is a lower bound where ``is_capped``."""

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
    total, is_capped = (MAX_IDS, True) if many else _count_up(session, wanted, conditions)
    after = _read_cursor(cursor, sort_by, order) if cursor else None
    listed: Select[Any] = select(*LISTED, column.label(SORT_KEY))
    keyed = listed.where(*conditions)
    directions = _directions(column, order, is_one_training=wanted.training_id is not None)
    with_value = keyed.where(column.is_not(None)).order_by(*directions)
    rows: list[Any] = []
    if after is None:
        page = with_value.offset(offset).limit(limit)
        if offset and wanted.training_id is not None:
            # What lies before the page is passed in the index, its rows unread.
            places = page.with_only_columns(Feature.neuron_index)
            page = listed.where(Feature.training_id == wanted.training_id)
            page = page.where(Feature.neuron_index.in_(places)).order_by(*directions)
        rows = list(session.execute(page).all())
    elif after["value"] is not None:
        beyond = with_value.where(_beyond(column, order, after)).limit(limit)
        rows = list(session.execute(beyond).all())
    if len(rows) < limit:
        skipped = 0
        if offset and not rows:
            skipped = offset - _count(session, [*conditions, column.is_not(None)])
        without = _without_value(keyed, column, after).offset(max(skipped, 0))
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


def _without_value(
    keyed: Select[Any], column: ColumnElement[Any], after: dict[str, Any] | None
) -> Select[Any]:
    statement = keyed.where(column.is_(None)).order_by(Feature.neuron_index, Feature.id)
    return statement.where(_later(after)) if after and after["value"] is None else statement


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
        return or_(matches, Feature.id.in_(wanted.live)) if wanted.live else matches
    if ids is None:
        found = select(Feature.id).where(*_conditions(wanted), row_matches(search)).limit(MAX_IDS)
        ids = set(session.scalars(found))
    return Feature.id.in_(ids | wanted.live.keys())


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
        found.append(Feature.training_id == wanted.training_id)
    if wanted.is_favorite is not None:
        found.append(Feature.is_favorite.is_(wanted.is_favorite))
    if wanted.tags:
        found.append(Feature.tags.contains(list(wanted.tags)))
    for name, (low, high) in wanted.ranges.items():
        column = getattr(Feature, name)
        found += [column >= low] if low is not None else []
        found += [column <= high] if high is not None else []
    return found


def _sort_column(wanted: FeatureFilter, sort_by: str) -> ColumnElement[Any]:
    if sort_by == RELEVANCE and wanted.search:
        by_text = relevance(wanted.search)
        if not wanted.live:
            return by_text
        by_firing = case(dict(wanted.live), value=Feature.id, else_=0.0)
        return func.greatest(by_text, by_firing)
    if sort_by not in SORT_COLUMNS:
        choices = sorted(SORT_COLUMNS)
        raise ValidationFailed(
            f"Cannot sort by '{sort_by}'. Choose one of: {', '.join(choices)}; with a search also "
            f"{RELEVANCE}.",
            details={"field": "sort_by", "value": sort_by, "choices": choices},
        )
    return SORT_COLUMNS[sort_by]  # type: ignore[return-value]


def _directions(
    column: ColumnElement[Any], order: SortOrder, *, is_one_training: bool
) -> list[ColumnElement[Any]]:
    """Equal values by index; within one training nothing is equal then, and its index has no id."""
    is_down = order == "desc"
    index = Feature.neuron_index.asc() if is_down else Feature.neuron_index.desc()
    found: list[ColumnElement[Any]] = [column.desc() if is_down else column.asc(), index]
    return found if is_one_training else [*found, Feature.id.asc()]


def _beyond(
    column: ColumnElement[Any], order: SortOrder, after: dict[str, Any]
) -> ColumnElement[bool]:
    """Rows behind a place. The first bound says nothing new; the index is entered there by it."""
    value, is_down = after["value"], order == "desc"
    bound = column <= value if is_down else column >= value
    further = column < value if is_down else column > value
    tied = _later(after) if is_down else _earlier(after)
    return and_(bound, or_(further, and_(column == value, tied)))


def _later(after: dict[str, Any]) -> ColumnElement[bool]:
    return or_(
        Feature.neuron_index > after["index"],
        and_(Feature.neuron_index == after["index"], Feature.id > after["id"]),
    )


def _earlier(after: dict[str, Any]) -> ColumnElement[bool]:
    return or_(
        Feature.neuron_index < after["index"],
        and_(Feature.neuron_index == after["index"], Feature.id > after["id"]),
    )


def _write_cursor(row: Row[Any], sort_by: str, order: SortOrder) -> str:
    place = [sort_by, order, row.sort_key, row.neuron_index, row.id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _read_cursor(cursor: str, sort_by: str, order: SortOrder) -> dict[str, Any]:
    try:
        own_sort, own_order, value, index, feature_id = json.loads(
            base64.urlsafe_b64decode(cursor.encode())
        )
        if (own_sort, own_order) != (sort_by, order):
            raise ValueError
        return {"value": value, "index": int(index), "id": int(feature_id)}
    except (ValueError, TypeError, binascii.Error) as error:
        raise ValidationFailed(
            "This cursor belongs to another sorting. Start from the first page.",
            details={"field": "cursor"},
        ) from error
