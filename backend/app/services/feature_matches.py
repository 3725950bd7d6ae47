"""Why a feature is among the hits of a search."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.db.models import Feature
from app.db.repositories import feature_search
from app.schemas.feature import SearchMatch

TOKENS_SHOWN = 3


def explain_matches(
    session: Session, rows: Sequence[Feature | Row[Any]], search: str | None
) -> dict[int, list[SearchMatch]]:
    """The reasons of each row of a page, texts before tokens, strongest first."""
    if not search or not rows:
        return {}
    found: dict[int, list[SearchMatch]] = defaultdict(list)
    for feature in rows:
        found[feature.id] = _texts(feature, search)
    shown: dict[tuple[int, str], int] = defaultdict(int)
    for hit in feature_search.token_hits(session, [row.id for row in rows], search):
        shown[hit.feature_id, hit.kind] += 1
        if shown[hit.feature_id, hit.kind] <= TOKENS_SHOWN:
            found[hit.feature_id].append(
                SearchMatch(where=hit.kind, text=hit.token, weight=hit.weight)
            )
    for feature in rows:
        if not found[feature.id]:  # words in another form, or a typing error forgiven
            text = feature.name or feature.label or feature.description or ""
            found[feature.id].append(SearchMatch(where="similar", text=text, weight=None))
    return found


def _texts(feature: Feature | Row[Any], search: str) -> list[SearchMatch]:
    wanted = search.strip().lower()
    texts = (("name", feature.name), ("label", feature.label), ("description", feature.description))
    return [
        SearchMatch(where=where, text=text, weight=None)
        for where, text in texts
        if text and wanted in text.lower()
    ]
