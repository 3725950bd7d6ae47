"""Queries of the scoring of features: contexts' peaks in, two columns out."""

import json
import struct
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Integer,
    LargeBinary,
    bindparam,
    cast,
    func,
    or_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from app.db.models import Feature, FeatureActivation
from app.db.repositories.features import TOP

UNKNOWN_TOKEN = -1
RUN = "scoring"
"""Key of the metadata that says how a feature's scores were measured."""


class ScoreRow(NamedTuple):
    feature_id: int
    output_score: float
    input_score: float | None
    details: dict[str, Any]


def ids_by_index(session: Session, training_id: UUID) -> dict[int, int]:
    """Feature id by index in the dictionary, ascending."""
    statement = select(Feature.neuron_index, Feature.id).where(Feature.training_id == training_id)
    return dict(session.execute(statement.order_by(Feature.neuron_index)).all())


def scored_by(session: Session, training_id: UUID, job_id: UUID) -> Sequence[int]:
    """Indices of the features whose scores a job has written."""
    own = Feature.metadata_[RUN]["job_id"].as_string() == str(job_id)
    statement = select(Feature.neuron_index).where(
        Feature.training_id == training_id, Feature.output_score.is_not(None), own
    )
    return session.scalars(statement).all()


def peak_tokens(session: Session, feature_ids: Sequence[int], limit: int) -> dict[int, list[int]]:
    """Token at the peak of each of the strongest contexts, by feature; unknown ones left out.

    Only the four bytes of that token are read: a context's packed numbers are many times as long.
    """
    packed = type_coerce(FeatureActivation.token_ids, LargeBinary)
    peak = func.substring(packed, cast(FeatureActivation.position, Integer) * 4 + 1, 4)
    statement = (
        select(FeatureActivation.feature_id, type_coerce(peak, LargeBinary))
        .where(FeatureActivation.feature_id.in_(feature_ids), FeatureActivation.kind == TOP)
        .where(FeatureActivation.rank < limit)
        .order_by(FeatureActivation.feature_id, FeatureActivation.rank)
    )
    found: dict[int, list[int]] = defaultdict(list)
    for feature_id, number in session.execute(statement):
        if len(number) == 4 and (token := struct.unpack(">i", number)[0]) != UNKNOWN_TOKEN:
            found[feature_id].append(token)
    return found


def clear(session: Session, training_id: UUID) -> None:
    """Empty the columns of a training's features."""
    is_scored = or_(Feature.output_score.is_not(None), Feature.input_score.is_not(None))
    statement = update(Feature).where(Feature.training_id == training_id, is_scored)
    session.execute(
        statement.values(output_score=None, input_score=None),
        execution_options={"synchronize_session": False},
    )


def put(session: Session, rows: Sequence[ScoreRow], run: dict[str, Any]) -> None:
    """Write scores with what they are made of; features deleted meanwhile stay deleted."""
    statement = text(
        "UPDATE features SET output_score = :output, input_score = :input, metadata = metadata"
        " || jsonb_build_object('score_details', coalesce(metadata->'score_details', '{}'::jsonb)"
        " - '{output_score,input_score}'::text[] || cast(:details AS jsonb), 'scoring',"
        " cast(:run AS jsonb)) WHERE id = :id"
    ).bindparams(bindparam("input"))
    how = json.dumps(run)
    given = [
        {"id": row.feature_id, "output": row.output_score, "input": row.input_score,
         "details": json.dumps(row.details), "run": how}
        for row in rows
    ]  # fmt: skip
    if given:
        session.execute(statement, given)
