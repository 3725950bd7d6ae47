"""Finding features by what they are called, what they fire on and what they promote."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.orm import Session

from app.db.models import Feature, FeatureToken
from app.db.repositories.base import contains_pattern

FIRES_ON, PROMOTES = "fires_on", "promotes"
MIN_TRIGRAM_CHARACTERS = 3
MAX_IDS = 1000
"""Matches that are looked up first and sorted then; with more, the sorted table is walked."""
TOKENS_PER_FEATURE = 20
LIKENESS = 0.5
"""Word similarity that counts as the same word: two letters swapped in six still do."""


@dataclass(frozen=True)
class TokenHit:
    """A token of a feature that holds the words searched for."""

    feature_id: int
    kind: str
    token: str
    weight: float


def find_ids(session: Session, training_id: UUID | None, search: str) -> set[int] | None:
    """Ids of the features that match by text or by token; None when more than ``MAX_IDS`` do.

    Both indexes are asked for a bounded number of rows, so a word that is everywhere costs no more
    than one that is rare. Slips of the pen are forgiven where nothing else matches: comparing by
    likeness reads many rows.
    """
    in_text = _ids_by_text(session, training_id, _text_matches(search))
    if len(in_text) > MAX_IDS:
        return None
    by_token = select(FeatureToken.feature_id).where(_token_matches(search))
    if training_id is not None:
        by_token = by_token.where(FeatureToken.training_id == training_id)
    n_rows = TOKENS_PER_FEATURE * (MAX_IDS + 1)
    found = in_text | set(session.scalars(by_token.limit(n_rows)))
    if not found and len(search.strip()) > MIN_TRIGRAM_CHARACTERS:
        alike = literal(search.lower()).op("<%")(Feature.search_text)
        found = set(list(_ids_by_text(session, training_id, alike))[:MAX_IDS])
    return None if len(found) > MAX_IDS else found


def _ids_by_text(
    session: Session, training_id: UUID | None, condition: ColumnElement[bool]
) -> set[int]:
    statement = select(Feature.id).where(condition)
    if training_id is not None:
        statement = statement.where(Feature.training_id == training_id)
    return set(session.scalars(statement.limit(MAX_IDS + 1)))


def row_matches(search: str) -> ColumnElement[bool]:
    """Whether a row of ``features`` matches: for walking along a sorting that finds many."""
    by_token = select(literal(1)).where(
        FeatureToken.feature_id == Feature.id, _token_matches(search)
    )
    # The offset is a fence: without it the planner may look up the word for all trainings and hash
    # what it finds (440 ms among 131,072 features), instead of asking for each row walked along.
    return or_(_text_matches(search), by_token.offset(0).exists())


def forgive_slips(session: Session) -> None:
    """Let the trigram operator accept ``LIKENESS`` in this transaction."""
    name = "pg_trgm.word_similarity_threshold"
    session.execute(select(func.set_config(name, str(LIKENESS), True)))


def relevance(search: str) -> ColumnElement[float]:
    """How well a row's text fits, 0 .. 1; a sort key for rows that match already."""
    likeness: ColumnElement[float] = func.word_similarity(search.lower(), Feature.search_text)
    best_token = (
        select(func.max(FeatureToken.weight))
        .where(FeatureToken.feature_id == Feature.id, FeatureToken.kind == FIRES_ON)
        .where(_token_matches(search))
        .scalar_subquery()
    )
    return func.greatest(likeness, func.coalesce(best_token, literal(0.0)))


def token_hits(session: Session, feature_ids: Sequence[int], search: str) -> list[TokenHit]:
    """The tokens by which the given features match, the weightiest first."""
    statement = (
        select(FeatureToken.feature_id, FeatureToken.kind, FeatureToken.token, FeatureToken.weight)
        .where(FeatureToken.feature_id.in_(feature_ids))
        .where(_token_matches(search))
        .order_by(FeatureToken.feature_id, FeatureToken.kind, FeatureToken.weight.desc())
    )
    return [TokenHit(*row) for row in session.execute(statement)]


def _text_matches(search: str) -> ColumnElement[bool]:
    pattern = contains_pattern(search.lower())
    return or_(
        Feature.search_text.like(pattern, escape="\\"),
        Feature.search_words.op("@@")(func.websearch_to_tsquery("english", search)),
    )


def _token_matches(search: str) -> ColumnElement[bool]:
    word = search.strip().lower() or search
    escaped = contains_pattern(word)[1:]
    return FeatureToken.word.like(escaped, escape="\\")
