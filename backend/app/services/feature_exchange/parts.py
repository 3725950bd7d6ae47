"""What an import loads at once: some features with all that belongs to them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.repositories import feature_loading
from app.db.repositories.context_rows import ContextRow
from app.db.repositories.word_rows import WordRow

Word = tuple[str, int, str, float]


@dataclass(frozen=True)
class Refusal:
    """A feature of a file that cannot be read, as the file names it, and why."""

    feature_index: str | None
    reason: str


@dataclass
class FeaturePart:
    """Features and what belongs to them, by neuron index.

    Attributes:
        rows: Mappings with columns of ``feature_loading.FEATURE_COLUMNS``.
        notes: What a person wrote: ``description``, ``tags``, ``is_favorite``.
        words: Columns of ``WordRow`` after its feature.
        contexts: Columns of ``ContextRow`` without its feature.
        refused: What is wrong in the file and stays out.
    """

    rows: list[dict[str, Any]]
    notes: dict[int, dict[str, Any]] = field(default_factory=dict)
    words: list[tuple[int, Word]] = field(default_factory=list)
    contexts: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def load_part(session: Session, training_id: UUID, part: FeaturePart) -> int:
    """Put a part in the place of what these features had, in one transaction.

    What a person wrote here stays; what one wrote there fills what is empty here.

    Returns:
        Number of contexts loaded.
    """
    ids = feature_loading.put_features(session, training_id, part.rows)
    feature_loading.delete_examples_of(session, list(ids.values()))
    feature_loading.fill_notes(session, {ids[index]: note for index, note in part.notes.items()})
    feature_loading.put_words(
        session, training_id, (WordRow(ids[index], *word) for index, word in part.words)
    )
    return feature_loading.put_examples(session, _contexts(ids, part.contexts))


def _contexts(
    ids: dict[int, int], contexts: Iterable[tuple[int, dict[str, Any]]]
) -> Iterable[ContextRow]:
    return (ContextRow(feature_id=ids[index], **context) for index, context in contexts)
