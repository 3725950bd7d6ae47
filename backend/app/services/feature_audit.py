"""Queueing an audit of stored contexts, and what it reads."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind
from app.db.models import FeatureActivation
from app.db.repositories import features
from app.ml.records import ExampleRecord
from app.schemas.common import JobAccepted
from app.schemas.feature_audit import FeatureAudit
from app.services.feature_jobs import (
    queue_on_features,
    refuse_if_features_busy,
    require_discovered,
)
from app.services.feature_records import DiscoveryPlan, read_discovery_plan, require_measured_step
from app.services.lookup import require_ready_model, require_training


def queue_audit(session: Session, request: FeatureAudit) -> JobAccepted:
    """Queue an audit.

    Raises:
        TrainingNotFound: No such training.
        NotReady: No features, no checkpoint of theirs, or the model is not ready.
        StoreGone: The tokens that the contexts point into were deleted.
        InUse: A job changes the features.
    """
    training = require_discovered(session, request.training_id)
    require_ready_model(session, training.model_id)
    read_audit_plan(session, training.id)
    refuse_if_features_busy(session, training, besides={JobKind.FEATURE_EXPORT})
    payload = request.model_dump(exclude={"training_id"}) | {"shares_device": True}
    return queue_on_features(session, JobKind.FEATURE_AUDIT, training, payload)


def read_audit_plan(session: Session, training_id: UUID) -> DiscoveryPlan:
    """Files and place of the checkpoint that the features were measured on."""
    training = require_training(session, training_id)
    step = features.checkpoint_step(session, training_id)
    step = require_measured_step(session, training, step)
    return read_discovery_plan(session, training_id, step)


@dataclass(frozen=True)
class AuditedContext:
    """A context with its feature's id and largest activation."""

    feature_id: int
    max_activation: float
    example: ExampleRecord


def choose_examples(session: Session, training_id: UUID, n: int, seed: int) -> list[AuditedContext]:
    """Choose random contexts, one of a feature each.

    Imported contexts whose tokens are strings cannot be recomputed and are not chosen.
    """
    draw = random.Random(seed)
    fired = features.with_contexts(session, training_id)
    chosen = draw.sample(sorted(fired), min(n, len(fired)))
    found = []
    for feature_id in chosen:
        row = features.nth_context(session, feature_id, draw.random())
        if row is not None:
            index, most = fired[feature_id]
            found.append(AuditedContext(feature_id, most, _record(row, index)))
    return found


def differences(
    chosen: Sequence[AuditedContext], wrong: Sequence[tuple[int, str, int]]
) -> list[dict[str, Any]]:
    """What an audit names, with the ids of the features."""
    id_of = {context.example.feature: context.feature_id for context in chosen}
    return [
        {"feature_id": id_of[index], "neuron_index": index, "kind": kind, "rank": rank}
        for index, kind, rank in wrong
    ]


def _record(row: FeatureActivation, index: int) -> ExampleRecord:
    return ExampleRecord(
        feature=index,
        kind=row.kind,  # type: ignore[arg-type]
        rank=row.rank,
        document=row.document,
        token_index=row.token_index or 0,
        position=row.position,
        window_position=row.window_position or 0,
        split="train" if row.split == "train" else "heldout",
        token_ids=list(row.token_ids),
        tokens=row.tokens,
        activations=list(row.activations),
        max_activation=row.max_activation,
        text=row.sample_text,
        margin=row.margin,
    )
