"""Queueing the scoring of a training's features, and what it reads and writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind
from app.core.paths import checkpoint_dir, model_dir
from app.db.repositories import feature_scores, features
from app.ml.configs import ScoringConfig
from app.schemas.common import JobAccepted
from app.schemas.feature import FeatureScoring
from app.services.feature_jobs import (
    queue_on_features,
    refuse_if_features_busy,
    require_discovered,
)
from app.services.feature_records import require_measured_step
from app.services.lookup import require_ready_model, require_training
from app.services.ml_settings import build_config


@dataclass(frozen=True)
class ScoringPlan:
    """``ids`` by index in the dictionary, ``done`` those that this job scored before."""

    training_id: UUID
    model: PurePosixPath
    sae: PurePosixPath
    layer: int
    hook_type: str
    ids: dict[int, int]
    done: frozenset[int]


def score_features(session: Session, request: FeatureScoring) -> JobAccepted:
    """Queue the scoring of all features of a training.

    Raises:
        TrainingNotFound: No such training.
        NotReady: It has no features yet, their checkpoint is gone, or its model is not ready.
        InUse: A job works on the training.
    """
    training = require_discovered(session, request.training_id)
    require_measured_step(session, training, features.checkpoint_step(session, training.id))
    require_ready_model(session, training.model_id)
    refuse_if_features_busy(session, training)
    given = request.model_dump(exclude={"training_id"})
    payload = {
        "config": build_config(ScoringConfig, given).to_dict(),
        "shares_device": training.status.is_under_way,
    }
    return queue_on_features(session, JobKind.FEATURE_SCORE, training, payload)


def read_scoring_plan(session: Session, training_id: UUID, job_id: UUID) -> ScoringPlan:
    """
    Raises:
        TrainingNotFound: The training was deleted.
        NotReady: So was its model, or the checkpoint of its features.
    """
    training = require_training(session, training_id)
    model = require_ready_model(session, training.model_id)
    step = features.checkpoint_step(session, training.id)
    step = require_measured_step(session, training, step)
    return ScoringPlan(
        training_id=training.id,
        model=model_dir(model.id),
        sae=checkpoint_dir(training.id, step),
        layer=training.layer,
        hook_type=training.hook_type,
        ids=feature_scores.ids_by_index(session, training.id),
        done=frozenset(feature_scores.scored_by(session, training.id, job_id)),
    )


def forget_scores(session: Session, training_id: UUID) -> None:
    """Empty both columns before others are measured: scores of two prompts do not compare."""
    feature_scores.clear(session, training_id)


def put_scores(
    session: Session, ids: dict[int, int], scores: Sequence[dict[str, Any]], run: dict[str, Any]
) -> None:
    """Write a block of scores.

    Args:
        session: Open session.
        ids: Feature id by index in the dictionary.
        scores: The core's records as JSON.
        run: Id of the job, settings, strength and null: how all of them were measured.
    """
    null = run["output_null"]
    rows = []
    for score in scores:
        output, read = score["output"], score["input"]
        details = {
            "output_score": {
                **{key: value for key, value in output.items() if key != "score"},
                "null": null["mean"],
                "null_p95": null["p95"],
            }
        }
        if read is not None:
            details["input_score"] = {k: v for k, v in read.items() if k != "score"}
        rows.append(
            feature_scores.ScoreRow(
                ids[score["index"]],
                output["score"],
                None if read is None else read["score"],
                details,
            )
        )
    feature_scores.put(session, rows, run)
