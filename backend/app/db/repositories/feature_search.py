"""Finding features by what they are called, what they fire on and what they promote."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.db.models import Feature, FeatureToken
from app.db.repositories.base import contains_pattern

FIRES_ON, PROMOTES = "fires_on", "promotes"
MIN_TRIGRAM_CHARACTERS = 3
LIKENESS = 0.5
"""Word similarity that counts as the same word: two letters swapped in six still do."""


@dataclass(frozen=True)
class TokenHit:
    """A token of a feature that holds the words searched for."""

    feature_id: int
    kind: str
    token: str
    weight: float


def matching_ids(training_id: UUID | None, search: str) -> Select[tuple[int]]:
    """Select the ids of features that match, by text or by token."""
    by_text = select(Feature.id).where(_text_matches(search))
    by_token = select(FeatureToken.feature_id).where(_token_matches(search))
    if training_id is not None:
        by_text = by_text.where(Feature.training_id == training_id)
        by_token = by_token.where(FeatureToken.training_id == training_id)
    found = union_all(by_text, by_token).subquery()
    return select(found.c[0]).distinct()


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
    found = [
        Feature.search_words.op("@@")(func.websearch_to_tsquery("english", search)),
        Feature.search_text.like(pattern, escape="\\"),
    ]
    if len(search.strip()) > MIN_TRIGRAM_CHARACTERS:
        found.append(literal(search.lower()).op("<%")(Feature.search_text))
    return or_(*found)


def _token_matches(search: str) -> ColumnElement[bool]:
    word = search.strip().lower() or search
    escaped = contains_pattern(word)[1:]
    return FeatureToken.word.like(escaped, escape="\\")
