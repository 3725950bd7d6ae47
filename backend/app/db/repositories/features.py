"""Queries on features, their contexts and what people changed on them."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    LargeBinary,
    Row,
    Select,
    and_,
    bindparam,
    column,
    func,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session, undefer

from app.db.models import (
    Feature,
    FeatureActivation,
    FeatureCount,
    FeatureEdit,
    FeatureToken,
)
from app.db.repositories.context_rows import ContextRow

TOP, SAMPLE, NEAR_MISS = "top", "sample", "near_miss"
# Statements over the tables' columns give plain rows; through the mapped classes the same reading
# takes twice as long.
_FEATURES, _CONTEXTS = Feature.__table__, FeatureActivation.__table__
_ONE_FEATURE: Select[Any] = select(*(c for c in _FEATURES.c if c.computed is None)).where(
    _FEATURES.c.id == bindparam("feature_id")
)
EXAMPLE_COLUMNS = tuple(_CONTEXTS.columns)
_IS_STRONGEST = and_(_CONTEXTS.c.kind == TOP, _CONTEXTS.c.rank == 0)
_WANTED = (
    func.unnest(bindparam("ids", type_=ARRAY(BigInteger)))
    .table_valued(column("id", BigInteger))
    .render_derived(name="wanted")
)
# Whatever the planner thinks of the table, each id is looked up by key in its own partition.
_STRONGEST = (
    select(*EXAMPLE_COLUMNS)
    .where(_CONTEXTS.c.feature_id == _WANTED.c.id, _IS_STRONGEST)
    .limit(1)
    .lateral("strongest")
)
_TOP_EXAMPLES = select(*_STRONGEST.c).join_from(_WANTED, _STRONGEST, true())
PACKED = ("token_ids", "token_lengths", "activations")
_OTHERS = _CONTEXTS.alias()
_FIRST_EXAMPLE: Select[Any] = select(
    *EXAMPLE_COLUMNS,
    select(func.count())
    .where(_OTHERS.c.feature_id == bindparam("feature_id"), _OTHERS.c.kind == TOP)
    .scalar_subquery()
    .label("n_examples"),
).where(_CONTEXTS.c.feature_id == bindparam("feature_id"), _IS_STRONGEST)


def get(session: Session, feature_id: int, *, lock: bool = False) -> Feature | None:
    return session.get(
        Feature, feature_id, with_for_update=lock or None, options=[undefer(Feature.metadata_)]
    )


def get_row(session: Session, feature_id: int) -> Row[Any] | None:
    """A feature as it is in the database, also what was just flushed."""
    return session.execute(_ONE_FEATURE, {"feature_id": feature_id}).first()


def get_many(session: Session, feature_ids: Sequence[int]) -> list[Feature]:
    """Features in the order of the ids asked for; unknown ids are left out."""
    found = {f.id: f for f in session.scalars(select(Feature).where(Feature.id.in_(feature_ids)))}
    return [found[feature_id] for feature_id in feature_ids if feature_id in found]


def count_by_training(session: Session, training_ids: Sequence[UUID]) -> dict[UUID, int]:
    statement = select(FeatureCount.training_id, FeatureCount.n).where(
        FeatureCount.training_id.in_(training_ids)
    )
    return dict(session.execute(statement).all())


def checkpoint_step(session: Session, training_id: UUID) -> int | None:
    """Step of the checkpoint that a training's features were measured on."""
    statement = select(Feature.metadata_["checkpoint_step"].as_integer())
    return session.scalar(statement.where(Feature.training_id == training_id).limit(1))


def list_examples(
    session: Session, feature_id: int, top_k: int, kind: str = TOP
) -> list[FeatureActivation]:
    statement = (
        select(FeatureActivation)
        .where(FeatureActivation.feature_id == feature_id, FeatureActivation.kind == kind)
        .order_by(FeatureActivation.rank)
        .limit(top_k)
    )
    return list(session.scalars(statement))


def packed_contexts(session: Session, feature_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """All contexts of some features in the columns of ``ContextRow``, lists still packed."""
    columns = [getattr(FeatureActivation, name) for name in ContextRow._fields]
    statement = (
        select(*(type_coerce(c, LargeBinary) if c.name in PACKED else c for c in columns))
        .where(FeatureActivation.feature_id.in_(feature_ids))
        .order_by(FeatureActivation.feature_id, FeatureActivation.kind, FeatureActivation.rank)
    )
    return [tuple(row) for row in session.execute(statement)]


def metadata_of(session: Session, feature_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    statement = select(Feature.id, Feature.metadata_).where(Feature.id.in_(feature_ids))
    return dict(session.execute(statement).all())


def words_of(session: Session, feature_ids: Sequence[int]) -> list[FeatureToken]:
    """Words of some features, feature by feature."""
    statement = select(FeatureToken).where(FeatureToken.feature_id.in_(feature_ids))
    order = (FeatureToken.feature_id, FeatureToken.kind, FeatureToken.rank)
    return list(session.scalars(statement.order_by(*order)))


def top_examples(session: Session, feature_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """The best example of each feature, in its columns; for tables, which show many."""
    found = session.execute(_TOP_EXAMPLES, {"ids": list(feature_ids)})
    return {example.feature_id: example for example in found}


def first_example(session: Session, feature_id: int) -> tuple[Row[Any] | None, int]:
    """The best example of one feature, and how many there are of its kind."""
    row: Row[Any] | None = session.execute(_FIRST_EXAMPLE, {"feature_id": feature_id}).first()
    return row, int(row.n_examples) if row is not None else 0


def by_index(session: Session, training_id: UUID, indices: Sequence[int]) -> dict[int, Feature]:
    """Features of a training by their index in the dictionary."""
    statement = select(Feature).where(
        Feature.training_id == training_id, Feature.neuron_index.in_(indices)
    )
    return {feature.neuron_index: feature for feature in session.scalars(statement)}


def with_contexts(session: Session, training_id: UUID) -> dict[int, tuple[int, float]]:
    """Index in the dictionary and largest activation by id, of the features that fired."""
    statement = select(Feature.id, Feature.neuron_index, Feature.max_activation).where(
        Feature.training_id == training_id, Feature.n_fires > 0
    )
    return {id_: (index, most or 0.0) for id_, index, most in session.execute(statement)}


def nth_context(session: Session, feature_id: int, share: float) -> FeatureActivation | None:
    """The context at a share (0 up to 1) of a feature's contexts that have a place in the text."""
    has_place = (
        FeatureActivation.feature_id == feature_id,
        FeatureActivation.token_index.is_not(None),
        FeatureActivation.window_position.is_not(None),
    )
    n = session.scalar(select(func.count()).select_from(FeatureActivation).where(*has_place)) or 0
    order = (FeatureActivation.kind, FeatureActivation.rank)
    statement = select(FeatureActivation).where(*has_place).order_by(*order)
    return session.scalar(statement.offset(int(share * n)).limit(1))


def add_edit(
    session: Session, feature_id: int, before: dict[str, Any], after: dict[str, Any]
) -> None:
    session.add(FeatureEdit(feature_id=feature_id, before=before, after=after))
    session.flush()


def list_edits(session: Session, feature_id: int, limit: int) -> list[FeatureEdit]:
    """What people changed, the latest first."""
    statement = select(FeatureEdit).where(FeatureEdit.feature_id == feature_id)
    return list(session.scalars(statement.order_by(FeatureEdit.id.desc()).limit(limit)))


def last_edit(session: Session, feature_id: int) -> FeatureEdit | None:
    """The latest change that was not undone yet."""
    statement = select(FeatureEdit).where(
        FeatureEdit.feature_id == feature_id, FeatureEdit.is_undone.is_(False)
    )
    return session.scalar(statement.order_by(FeatureEdit.id.desc()).limit(1))


def map_rows(session: Session, training_id: UUID) -> list[Any]:
    """Index, id, place, cluster, frequency, maximum and shown name of all features."""
    statement = (
        select(
            Feature.neuron_index, Feature.id, Feature.map_x, Feature.map_y, Feature.cluster,
            Feature.activation_frequency, Feature.max_activation,
            func.coalesce(Feature.name, Feature.label),
        )
        .where(Feature.training_id == training_id)
        .order_by(Feature.neuron_index)
    )  # fmt: skip
    return list(session.execute(statement).all())


def facts(session: Session, training_id: UUID) -> dict[str, Any]:
    """What holds for a whole discovery; the same in the metadata of each of its features."""
    statement = select(Feature.metadata_["facts"]).where(Feature.training_id == training_id)
    return session.scalar(statement.limit(1)) or {}


def close_neighbours(
    session: Session, training_id: UUID, cosine: float
) -> list[tuple[int, list[dict[str, Any]]]]:
    """Decoder neighbours of the features whose nearest one is at least this close."""
    statement = select(Feature.neuron_index, Feature.metadata_["decoder_neighbours"]).where(
        Feature.training_id == training_id, Feature.nearest_cosine >= cosine
    )
    return [(index, neighbours) for index, neighbours in session.execute(statement)]


def ids_by_index(session: Session, training_id: UUID, indices: Collection[int]) -> dict[int, int]:
    """Ids of features by their place in the dictionary; unknown places are left out."""
    statement = select(Feature.neuron_index, Feature.id).where(
        Feature.training_id == training_id, Feature.neuron_index.in_(indices)
    )
    return dict(session.execute(statement).all())
