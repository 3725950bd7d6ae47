"""Bulk loading of what discovery found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from app.db.models import Feature, FeatureActivation, FeatureToken
from app.db.models.feature import NUMERIC_COLUMNS
from app.db.repositories import word_rows
from app.db.repositories.context_rows import ContextRow, encode_context
from app.db.repositories.copying import copy_encoded, copy_rows
from app.db.repositories.word_rows import WordRow, encode_word

WRITTEN_BY_PEOPLE = ("name",)
MEASURED_COLUMNS = (
    "layer", "label", "label_source", "top_token", *NUMERIC_COLUMNS, "map_x", "map_y", "cluster",
    "metadata",
)  # fmt: skip
FEATURE_COLUMNS = ("neuron_index", *WRITTEN_BY_PEOPLE, *MEASURED_COLUMNS)


def put_features(
    session: Session, training_id: UUID, rows: Iterable[Mapping[str, Any]]
) -> dict[int, int]:
    """Load a training's features; a second discovery replaces what was measured.

    What a person wrote (name, description, favourite, tags) stays.

    Args:
        session: Open session.
        training_id: Training that the features belong to.
        rows: Mappings with ``FEATURE_COLUMNS``; missing ones become NULL, metadata ``{}``.

    Returns:
        Feature id by neuron index.
    """
    columns = ", ".join(f'"{name}"' for name in FEATURE_COLUMNS)
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in MEASURED_COLUMNS)
    session.execute(text("DROP TABLE IF EXISTS features_incoming"))
    session.execute(
        text(
            f"CREATE TEMP TABLE features_incoming ON COMMIT DROP AS "
            f"SELECT {columns} FROM features WITH NO DATA"
        )
    )
    copy_rows(session, "features_incoming", FEATURE_COLUMNS, _tuples(rows))
    result = session.execute(
        text(
            f"INSERT INTO features (training_id, {columns}) "
            f"SELECT :training_id, {columns} FROM features_incoming ORDER BY neuron_index "
            f"ON CONFLICT (training_id, neuron_index) DO UPDATE SET {updates}, "
            f"name = coalesce(features.name, excluded.name), updated_at = now() "
            f"RETURNING neuron_index, id"
        ),
        {"training_id": training_id},
    )
    return dict(result.all())


def fill_notes(session: Session, notes: Mapping[int, Mapping[str, Any]]) -> None:
    """Write description, tags and favourite by feature id where there are none yet."""
    filled = {
        "description": func.coalesce(Feature.description, bindparam("given_description")),
        "tags": case((Feature.tags == [], bindparam("given_tags")), else_=Feature.tags),
        "is_favorite": or_(Feature.is_favorite, bindparam("given_favorite")),
    }
    statement = update(Feature).where(Feature.id == bindparam("given_id")).values(filled)
    given = [
        {"given_id": feature_id, "given_description": note.get("description"),
         "given_tags": note.get("tags") or [], "given_favorite": bool(note.get("is_favorite"))}
        for feature_id, note in notes.items()
    ]  # fmt: skip
    if given:
        session.connection().execute(statement, given)


def imported_parts(session: Session, training_id: UUID, bundle: str) -> dict[int, int]:
    """How many features of each part of a bundle stand in the table as they came."""
    mark = Feature.metadata_["imported"]
    part = mark["part"].as_integer()
    statement = (
        select(part, func.count())
        .where(Feature.training_id == training_id, mark["bundle"].as_string() == bundle)
        .group_by(part)
    )
    return dict(session.execute(statement).all())


def put_examples(session: Session, rows: Iterable[ContextRow]) -> int:
    """Load contexts by COPY; returns their number.

    No foreign key watches over them, because checking it costs more than storing the row: the
    features must be in this transaction or locked by it.
    """
    return put_encoded_examples(session, map(encode_context, rows))


def put_encoded_examples(session: Session, rows: Iterable[bytes]) -> int:
    """``put_examples`` of what ``encode_context`` made, one row or several in each."""
    return copy_encoded(session, "feature_activations", ContextRow._fields, rows)


def put_words(session: Session, training_id: UUID, rows: Iterable[WordRow]) -> int:
    """Load rows of ``feature_tokens`` by COPY; returns their number."""
    encoded = (encode_word(training_id, row) for row in rows)
    return copy_encoded(session, "feature_tokens", word_rows.COLUMNS, encoded)


def delete_examples(session: Session, training_id: UUID) -> None:
    """Forget contexts and tokens of a training's features, before new ones are loaded."""
    ids = select(Feature.id).where(Feature.training_id == training_id)
    for statement in (
        delete(FeatureActivation).where(FeatureActivation.feature_id.in_(ids)),
        delete(FeatureToken).where(FeatureToken.feature_id.in_(ids)),
    ):
        session.execute(statement, execution_options={"synchronize_session": False})


def delete_examples_of(session: Session, feature_ids: Sequence[int]) -> None:
    """Forget contexts and tokens of some features, before others are loaded in their place."""
    for statement in (
        delete(FeatureActivation).where(FeatureActivation.feature_id.in_(feature_ids)),
        delete(FeatureToken).where(FeatureToken.feature_id.in_(feature_ids)),
    ):
        session.execute(statement, execution_options={"synchronize_session": False})


def delete_features(session: Session, training_id: UUID) -> None:
    session.execute(
        delete(Feature).where(Feature.training_id == training_id),
        execution_options={"synchronize_session": False},
    )


def analyze(session: Session) -> None:
    """Renew the planner's statistics: after a bulk load they describe an empty table."""
    for table in ("features", "feature_tokens"):
        session.execute(text(f"ANALYZE {table}"))


def _tuples(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[Any, ...]]:
    for row in rows:
        *values, metadata = map(row.get, FEATURE_COLUMNS)
        yield (*values, metadata or {})
