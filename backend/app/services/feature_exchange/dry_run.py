"""What an import would do, found out without writing anything."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.models import Feature
from app.db.repositories import features
from app.db.repositories.context_rows import ContextRow
from app.db.repositories.copying import text_bytes
from app.db.repositories.feature_loading import MEASURED_COLUMNS
from app.db.repositories.word_rows import MAX_CHARACTERS
from app.services.feature_exchange.import_reports import KeptNote, PartComparison
from app.services.feature_exchange.parts import FeaturePart

NOTES = ("name", "description", "tags", "is_favorite")


def compare_part(session: Session, training_id: UUID, part: FeaturePart) -> PartComparison:
    """Compare without writing: the database itself refuses to write in between."""
    with session.begin_nested():
        session.execute(text("SET TRANSACTION READ ONLY"))  # until this savepoint ends
        indices = [row["neuron_index"] for row in part.rows]
        here = features.by_index(session, training_id, indices)
        stored = _stored(session, here)
    incoming = _incoming(part)
    changed = [index for index, seen in stored.items() if seen != incoming[index]]
    kept = [note for row in part.rows if row["neuron_index"] in here
            for note in _kept(here[row["neuron_index"]], row, part)]  # fmt: skip
    n_new = len(set(indices) - set(here))
    return PartComparison(n_new, len(changed), len(here) - len(changed), kept)


def _stored(session: Session, here: dict[int, Feature]) -> dict[int, Any]:
    """Figures, words and contexts of the features that are there, in a form to compare."""
    index_of = {feature.id: index for index, feature in here.items()}
    details = features.metadata_of(session, list(index_of))
    found = {
        index: _Content(_figures({name: getattr(feature, name, None) for name in MEASURED_COLUMNS},
                                 details[feature.id]))
        for index, feature in here.items()
    }  # fmt: skip
    for word in features.words_of(session, list(index_of)):
        found[index_of[word.feature_id]].words.add((word.kind, word.rank, word.token, word.weight))
    for row in features.packed_contexts(session, list(index_of)):
        feature_id, *rest = row
        found[index_of[feature_id]].contexts.add(_context(ContextRow(0, *rest)))
    return found


def _incoming(part: FeaturePart) -> dict[int, Any]:
    found = {
        row["neuron_index"]: _Content(_figures(row, row["metadata"])) for row in part.rows
    }  # fmt: skip
    for index, (kind, rank, token, weight) in part.words:
        shown = text_bytes(token[:MAX_CHARACTERS]).decode()
        found[index].words.add((kind, rank, shown, weight))
    for index, context in part.contexts:
        found[index].contexts.add(_context(ContextRow(feature_id=0, **context)))
    return found


@dataclass
class _Content:
    figures: dict[str, Any]
    words: set[tuple[str, int, str, float]] = field(default_factory=set)
    contexts: set[ContextRow] = field(default_factory=set)


def _figures(row: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    """Measured columns; which file they came with does not count."""
    known = {key: value for key, value in metadata.items() if key != "imported"}
    return {name: row.get(name) for name in MEASURED_COLUMNS} | {"metadata": known}


def _context(row: ContextRow) -> ContextRow:
    return row._replace(
        sample_text=text_bytes(row.sample_text).decode(),
        token_ids=bytes(row.token_ids),
        token_lengths=bytes(row.token_lengths),
        activations=bytes(row.activations),
    )


def _kept(here: Feature, row: dict[str, Any], part: FeaturePart) -> list[KeptNote]:
    index = here.neuron_index
    there = {"name": row.get("name"), **part.notes.get(index, {})}
    return [
        KeptNote(index, name, getattr(here, name), there[name])
        for name in NOTES
        if getattr(here, name) and there.get(name) and getattr(here, name) != there[name]
    ]
