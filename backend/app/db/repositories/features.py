"""Queries on features and bulk loading of what discovery found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.db.models import Feature, FeatureActivation
from app.db.repositories.base import (
    RowPage,
    SortColumn,
    SortOrder,
    contains_pattern,
    order_by,
    paginate,
)
from app.db.repositories.copying import copy_rows

SORT_COLUMNS: dict[str, SortColumn] = {
    "id": Feature.id,
    "neuron_index": Feature.neuron_index,
    "name": func.lower(func.coalesce(Feature.name, Feature.metadata_["label"].astext)),
    "activation": Feature.activation_frequency,
    "activation_frequency": Feature.activation_frequency,
    "interpretability": Feature.interpretability_score,
    "max_activation": Feature.max_activation,
    "mean_activation": Feature.mean_activation,
}
FEATURE_COLUMNS = (
    "neuron_index",
    "layer",
    "name",
    "activation_frequency",
    "interpretability_score",
    "max_activation",
    "mean_activation",
    "n_fires",
    "metadata",
)
MEASURED_COLUMNS = tuple(name for name in FEATURE_COLUMNS if name not in {"neuron_index", "name"})
EXAMPLE_COLUMNS = (
    "feature_id",
    "rank",
    "split",
    "document",
    "position",
    "sample_text",
    "token_ids",
    "tokens",
    "activations",
    "max_activation",
    "metadata",
)


def get(session: Session, feature_id: int, *, lock: bool = False) -> Feature | None:
    return session.get(Feature, feature_id, with_for_update=lock or None)


def get_many(session: Session, feature_ids: Sequence[int]) -> list[Feature]:
    """Features in the order of the ids asked for; unknown ids are left out."""
    found = {f.id: f for f in session.scalars(select(Feature).where(Feature.id.in_(feature_ids)))}
    return [found[feature_id] for feature_id in feature_ids if feature_id in found]


def list_page(
    session: Session,
    *,
    training_id: UUID | None = None,
    page: int = 1,
    limit: int = 50,
    search: str | None = None,
    is_favorite: bool | None = None,
    sort_by: str = "activation_frequency",
    order: SortOrder = "desc",
) -> RowPage[Feature]:
    """Features by name, label, description or example text."""
    statement = select(Feature)
    if training_id is not None:
        statement = statement.where(Feature.training_id == training_id)
    if is_favorite is not None:
        statement = statement.where(Feature.is_favorite.is_(is_favorite))
    if search:
        statement = _matching(statement, search)
    statement = order_by(statement, SORT_COLUMNS, sort_by, order, Feature.neuron_index)
    return paginate(session, statement.order_by(Feature.id), page, limit)


def _matching(statement: Select[Feature], search: str) -> Select[Feature]:
    pattern = contains_pattern(search)
    in_examples = (
        select(FeatureActivation.feature_id)
        .where(FeatureActivation.feature_id == Feature.id)
        .where(FeatureActivation.sample_text.ilike(pattern, escape="\\"))
        .exists()
    )
    return statement.where(
        or_(
            Feature.name.ilike(pattern, escape="\\"),
            Feature.metadata_["label"].astext.ilike(pattern, escape="\\"),
            Feature.description.ilike(pattern, escape="\\"),
            in_examples,
        )
    )


def count_by_training(session: Session, training_ids: Sequence[UUID]) -> dict[UUID, int]:
    statement = (
        select(Feature.training_id, func.count())
        .where(Feature.training_id.in_(training_ids))
        .group_by(Feature.training_id)
    )
    return dict(session.execute(statement).all())


def checkpoint_step(session: Session, training_id: UUID) -> int | None:
    """Step of the checkpoint that a training's features were measured on."""
    statement = select(Feature.metadata_["checkpoint_step"].as_integer())
    return session.scalar(statement.where(Feature.training_id == training_id).limit(1))


def list_examples(session: Session, feature_id: int, top_k: int) -> list[FeatureActivation]:
    statement = (
        select(FeatureActivation)
        .where(FeatureActivation.feature_id == feature_id)
        .order_by(FeatureActivation.rank, FeatureActivation.id)
        .limit(top_k)
    )
    return list(session.scalars(statement))


def count_examples(session: Session, feature_id: int) -> int:
    counted = select(func.count()).where(FeatureActivation.feature_id == feature_id)
    return session.scalar(counted) or 0


def top_examples(session: Session, feature_ids: Sequence[int]) -> dict[int, FeatureActivation]:
    """The best example of each feature."""
    statement = (
        select(FeatureActivation)
        .where(FeatureActivation.feature_id.in_(feature_ids))
        .ext(distinct_on(FeatureActivation.feature_id))
        .order_by(FeatureActivation.feature_id, FeatureActivation.rank)
    )
    return {example.feature_id: example for example in session.scalars(statement)}


def put_features(
    session: Session, training_id: UUID, rows: Iterable[Mapping[str, Any]]
) -> dict[int, int]:
    """Load a training's features; a second discovery replaces what was measured.

    What a person wrote (name, description, favourite) stays.

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
    copy_rows(session, "features_incoming", FEATURE_COLUMNS, _tuples(rows, FEATURE_COLUMNS))
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


def put_examples(session: Session, rows: Iterable[Mapping[str, Any]]) -> int:
    """Load example rows (mappings with ``EXAMPLE_COLUMNS``) by COPY; returns their number."""
    return copy_rows(
        session, "feature_activations", EXAMPLE_COLUMNS, _tuples(rows, EXAMPLE_COLUMNS)
    )


def delete_examples(session: Session, training_id: UUID) -> None:
    """Forget the examples of all features of a training, before a new discovery's are loaded."""
    features = select(Feature.id).where(Feature.training_id == training_id)
    session.execute(
        delete(FeatureActivation).where(FeatureActivation.feature_id.in_(features)),
        execution_options={"synchronize_session": False},
    )


def delete_features(session: Session, training_id: UUID) -> None:
    session.execute(
        delete(Feature).where(Feature.training_id == training_id),
        execution_options={"synchronize_session": False},
    )


def _tuples(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterable[tuple[Any, ...]]:
    for row in rows:
        yield tuple(
            row.get(name) if name != "metadata" else row.get(name) or {} for name in columns
        )
