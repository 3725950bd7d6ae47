"""Features: the table, one feature and what people write about it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.errors import Conflict, ValidationFailed
from app.db.models import Feature
from app.db.repositories import feature_pages, features
from app.db.repositories.feature_pages import LISTED_NAMES, RANGE_COLUMNS, FeatureFilter
from app.ml.configs import METRIC_DEFINITIONS
from app.schemas.common import Meta
from app.schemas.feature import (
    FeatureChange,
    FeaturePage,
    FeaturePagination,
    FeaturePatch,
    FeatureRead,
    FeatureRow,
    LiveSearch,
    SearchMatch,
)
from app.services.feature_live_search import LiveHit
from app.services.feature_matches import explain_matches
from app.services.feature_relations import example_of
from app.services.lookup import feature_not_found, require_feature, require_training
from app.services.paging import SortOrder
from app.services.versions import require_match

HIDDEN = ("logit_lens", "correlated", "decoder_neighbours", "encoder_neighbours")
PLAIN = tuple(
    name for name in FeatureRow.model_fields if name not in {"name", "top_example", "matches"}
)
EDITABLE = ("name", "description", "is_favorite", "tags")
MAX_EDITS = 100


ReadLive = Callable[[UUID, str], tuple[list[LiveHit], LiveSearch]]


class NothingToUndo(Conflict):
    pass


def list_features(
    session: Session,
    wanted: FeatureFilter,
    meta: Meta,
    *,
    page: int,
    limit: int,
    cursor: str | None,
    sort_by: str,
    order: SortOrder,
    read_live: ReadLive | None = None,
) -> FeaturePage:
    """A page of the table.

    Args:
        session: Open session.
        wanted: Filter.
        meta: Of the answer.
        page: From 1, where there is no cursor.
        limit: Rows.
        cursor: Of the page before.
        sort_by: Column, or relevance.
        order: Direction.
        read_live: Finds the features that fire on the search, read as a text; they are hits too.
    """
    feature_pages.require_usable(wanted, sort_by, order, cursor)
    hits, live = _read_live(wanted, read_live)
    wanted = replace(wanted, live={hit.feature_id: hit.share for hit in hits})
    found = feature_pages.list_page(
        session, wanted, sort_by=sort_by, order=order, limit=limit,
        offset=0 if cursor else (page - 1) * limit, cursor=cursor,
    )  # fmt: skip
    if wanted.training_id is not None and not found.items:
        require_training(session, wanted.training_id)  # a row would show that it is there
    ids = [row.id for row in found.items]
    top = features.top_examples(session, ids)
    matches = explain_matches(session, found.items, wanted.search, hits)
    pagination = FeaturePagination(
        page=page, limit=limit, total=found.total, total_is_capped=found.is_capped,
        has_next=found.next_cursor is not None, next_cursor=found.next_cursor,
    )  # fmt: skip
    rows = [_listed(row, top.get(row.id), matches.get(row.id, [])) for row in found.items]
    return FeaturePage(data=rows, pagination=pagination, live=live, meta=meta)


def _listed(row: Row[Any], top: Row[Any] | None, matches: list[SearchMatch]) -> FeatureRow:
    values = dict(zip(LISTED_NAMES, row, strict=False))
    values["name"] = values["name"] or values["label"]
    example = None if top is None else example_of(top)
    return FeatureRow(**values, top_example=example, matches=matches)


def _read_live(
    wanted: FeatureFilter, read: ReadLive | None
) -> tuple[list[LiveHit], LiveSearch | None]:
    """Only a search of one training can be read by its model."""
    if read is None or wanted.training_id is None or not wanted.search:
        return [], None
    return read(wanted.training_id, wanted.search)


def make_filter(
    *,
    training_id: UUID | None,
    search: str | None,
    is_favorite: bool | None,
    tags: Sequence[str],
    ranges: Sequence[str],
) -> FeatureFilter:
    """A filter from what a request says.

    Raises:
        ValidationFailed: An unusable range.
    """
    return FeatureFilter(
        training_id=training_id,
        search=(search or "").strip() or None,
        is_favorite=is_favorite,
        tags=tuple(tag.strip().lower() for tag in tags),
        ranges=read_ranges(ranges),
    )


def read_ranges(texts: Sequence[str]) -> dict[str, tuple[float | None, float | None]]:
    """Parse filters such as ``max_activation:1.5:`` (from 1.5 up) or ``n_fires::10``.

    Raises:
        ValidationFailed: Unknown column, or bounds that are no numbers.
    """
    found = {}
    for text in texts:
        name, *bounds = text.split(":")
        if name not in RANGE_COLUMNS or len(bounds) != 2:
            raise ValidationFailed(
                f"'{text}' is no range. Write column:from:to, either bound may be empty; columns "
                f"are {', '.join(RANGE_COLUMNS)}.",
                details={"field": "range", "value": text, "choices": list(RANGE_COLUMNS)},
            )
        try:
            low, high = (float(bound) if bound else None for bound in bounds)
        except ValueError as error:
            raise ValidationFailed(
                f"The bounds of '{text}' are no numbers.", details={"field": "range"}
            ) from error
        found[name] = (low, high)
    return found


def read_feature(session: Session, feature_id: int) -> FeatureRead:
    return _read(session, feature_id)


def patch_feature(
    session: Session, feature_id: int, patch: FeaturePatch, if_match: str | None = None
) -> FeatureRead:
    """Name, describe, tag or mark a feature; an emptied name gives way to the measured label.

    What was there before is kept, so that it can be brought back.

    Raises:
        PreconditionFailed: ``if_match`` names another state of it.
    """
    feature = require_feature(session, feature_id, lock=True)
    if if_match is not None:
        require_match(_read(session, feature_id), if_match)
    values = patch.model_dump(exclude_unset=True)
    for field in ("name", "description"):
        if field in values:
            values[field] = (values[field] or "").strip() or None
    for field in ("is_favorite", "tags"):
        if field in values and values[field] is None:
            del values[field]
    before = {field: getattr(feature, field) for field in values}
    if before != values:
        features.add_edit(session, feature_id, before, values)
        _write(session, feature, values)
    return _read(session, feature_id)


def undo_change(session: Session, feature_id: int) -> FeatureRead:
    """Take the latest change back that was not taken back yet.

    Raises:
        NothingToUndo: There is none.
    """
    feature = require_feature(session, feature_id, lock=True)
    edit = features.last_edit(session, feature_id)
    if edit is None:
        raise NothingToUndo(
            "Nothing on this feature is left to undo.", details={"feature_id": feature_id}
        )
    edit.is_undone = True
    _write(session, feature, edit.before)
    return _read(session, feature_id)


def list_changes(session: Session, feature_id: int) -> list[FeatureChange]:
    """What people changed, the latest first."""
    require_feature(session, feature_id)
    edits = features.list_edits(session, feature_id, MAX_EDITS)
    return [FeatureChange.model_validate(edit) for edit in edits]


def _write(session: Session, feature: Feature, values: dict[str, Any]) -> None:
    for field in EDITABLE:
        if field in values:
            setattr(feature, field, values[field])
    session.flush()


def _read(session: Session, feature_id: int) -> FeatureRead:
    feature = features.get_row(session, feature_id)
    if feature is None:
        raise feature_not_found(feature_id)
    top, n_examples = features.first_example(session, feature_id)
    metadata = feature.metadata
    row = {name: getattr(feature, name) for name in PLAIN} | {"name": feature.name or feature.label}
    return FeatureRead(
        **row,
        top_example=example_of(top) if top is not None else None,
        matches=[],
        metadata={key: value for key, value in metadata.items() if key not in HIDDEN},
        definitions={key: METRIC_DEFINITIONS[key] for key in row if key in METRIC_DEFINITIONS},
        n_tokens=metadata.get("n_tokens"),
        n_examples=n_examples,
        created_at=feature.created_at,
    )
