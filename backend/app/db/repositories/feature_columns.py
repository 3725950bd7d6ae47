"""All features of a training as packed columns, made by the database itself.

Handing out 131,072 rows one by one costs a second of Python time; one row of eight byte strings
costs none.
"""

from array import array
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import REAL, ColumnElement, LargeBinary, Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session
from sqlalchemy.types import Double

from app.db.models import Feature


@dataclass(frozen=True, slots=True)
class FeatureColumns:
    """Columns of equal length in the order of the latents, little-endian.

    ``ids`` are float64 (exact up to 2^53), ``neuron_index`` and ``cluster`` int32 (-1 for none),
    the others float32 (NaN for none). ``names`` has one line for each feature.
    """

    count: int
    n_clusters: int
    ids: bytes
    neuron_index: bytes
    x: bytes
    y: bytes
    cluster: bytes
    activation_frequency: bytes
    max_activation: bytes
    names: str


def read_columns(session: Session, training_id: UUID) -> FeatureColumns:
    """What a map of the whole dictionary shows of each feature."""
    name = func.coalesce(Feature.name, Feature.label, "")
    statement = select(
        func.count(),
        func.count(Feature.cluster.distinct()),
        _joined(func.float8send(cast(Feature.id, Double))),
        _joined(func.int4send(Feature.neuron_index)),
        _joined(_single(Feature.map_x)),
        _joined(_single(Feature.map_y)),
        _joined(func.int4send(func.coalesce(Feature.cluster, -1))),
        _joined(_single(Feature.activation_frequency)),
        _joined(_single(Feature.max_activation)),
        func.string_agg(
            func.translate(name, "\r\n", "  "),
            aggregate_order_by(literal("\n", Text), Feature.neuron_index),
        ),
    ).where(Feature.training_id == training_id)
    count, clusters, ids, index, x, y, cluster, frequency, largest, names = session.execute(
        statement
    ).one()
    return FeatureColumns(
        count=count, n_clusters=clusters,
        ids=_little("d", ids), neuron_index=_little("i", index),
        x=_little("f", x), y=_little("f", y), cluster=_little("i", cluster),
        activation_frequency=_little("f", frequency), max_activation=_little("f", largest),
        names=names or "",
    )  # fmt: skip


def _single(column: Any) -> ColumnElement[bytes]:
    return func.float4send(func.coalesce(cast(column, REAL), cast("NaN", REAL)))


def _joined(packed: ColumnElement[bytes]) -> ColumnElement[bytes]:
    nothing = literal(b"", LargeBinary)
    return func.string_agg(
        packed, aggregate_order_by(nothing, Feature.neuron_index), type_=LargeBinary
    )


def _little(code: str, packed: bytes | None) -> bytes:
    """The database sends numbers big-endian; browsers' typed arrays are little-endian."""
    numbers = array(code, packed or b"")
    numbers.byteswap()
    return numbers.tobytes()
