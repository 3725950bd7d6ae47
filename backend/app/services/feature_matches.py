"""Why a feature is among the hits of a search."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.db.models import Feature
from app.db.repositories import feature_search
from app.schemas.feature import SearchMatch
from app.services.feature_live_search import LiveHit

TOKENS_SHOWN = 3


def explain_matches(
    session: Session,
    rows: Sequence[Feature | Row[Any]],
    search: str | None,
    live: Sequence[LiveHit] = (),
) -> dict[int, list[SearchMatch]]:
    """The reasons of each row of a page, texts before tokens, strongest first, live ones last."""
    if not search or not rows:
        return {}
    found: dict[int, list[SearchMatch]] = defaultdict(list)
    for feature in rows:
        found[feature.id] = _texts(feature, search)
    shown: dict[tuple[int, str], int] = defaultdict(int)
    for token in feature_search.token_hits(session, [row.id for row in rows], search):
        shown[token.feature_id, token.kind] += 1
        if shown[token.feature_id, token.kind] <= TOKENS_SHOWN:
            found[token.feature_id].append(
                SearchMatch(where=token.kind, text=token.token, weight=token.weight)
            )
    for hit in live:
        if hit.feature_id in found:
            match = SearchMatch(where="fires_on_text", text=hit.token, weight=hit.share)
            found[hit.feature_id].append(match)
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
