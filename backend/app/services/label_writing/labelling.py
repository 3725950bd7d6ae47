"""Queueing the writing of labels, and what it reads and writes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.core.errors import NotReady
from app.db.repositories import feature_labels, features, models
from app.schemas.common import JobAccepted
from app.schemas.feature_labels import FeatureLabelling, LabelWriter
from app.services.feature_jobs import (
    queue_on_features,
    refuse_if_features_busy,
    require_discovered,
)
from app.services.label_writing.endpoint import check_address
from app.services.label_writing.prompt import VERSION, Evidence, mark_context
from app.services.lookup import require_ready_model
from app.services.model_folder import has_chat_template

SHOWN_TOKENS = 10
MODEL, ENDPOINT = "model", "endpoint"
"""Sources of a label that a writer gave; the rules' sources name the rule."""


class NoWriter(NotReady):
    """Nothing on this machine may write labels as asked."""


@dataclass(frozen=True)
class WriterFacts:
    """Who writes: kept with each label."""

    source: str
    model: str
    job_id: UUID


def list_writers(session: Session, settings: Settings) -> list[LabelWriter]:
    """What could write labels here: the configured server, and models with a chat template."""
    found = []
    if settings.label_endpoint:
        found.append(LabelWriter(kind=ENDPOINT, name=settings.label_endpoint, model_id=None))
    for model in models.list_ready(session):
        if has_chat_template(settings, model.id):
            found.append(LabelWriter(kind=MODEL, name=model.name, model_id=model.id))
    return found


def queue_labelling(session: Session, settings: Settings, request: FeatureLabelling) -> JobAccepted:
    """Queue the writing of labels.

    Raises:
        TrainingNotFound, ModelNotFound: What the request names does not exist.
        NoWriter: The server was not configured, or the model has no chat template.
        NotOnThisMachine: The configured server is elsewhere.
        NotReady: There are no features.
        InUse: A job changes the features.
    """
    training = require_discovered(session, request.training_id)
    payload = _writer(session, settings, request) | {
        "limit": request.limit, "contexts": request.contexts,
        "feature_ids": request.feature_ids, "shares_device": True,
    }  # fmt: skip
    refuse_if_features_busy(session, training)
    return queue_on_features(session, JobKind.FEATURE_LABEL, training, payload)


def _writer(session: Session, settings: Settings, request: FeatureLabelling) -> dict[str, Any]:
    if request.model_id is not None:
        model = require_ready_model(session, request.model_id)
        if not has_chat_template(settings, model.id):
            raise NoWriter(
                f'The model "{model.name}" has no chat template, so it cannot be asked. Choose one '
                "that was trained to answer.",
                details={"field": "model_id"},
            )
        return {"writer": MODEL, "model_id": str(model.id), "model": model.name}
    if not settings.label_endpoint:
        raise NoWriter(
            "No server that writes labels is configured. Set MISTUDIO_LABEL_ENDPOINT to its "
            "address on this machine and start again, or name a model with model_id.",
            details={"field": "endpoint_model"},
        )
    check_address(settings.label_endpoint)
    return {
        "writer": ENDPOINT, "endpoint": settings.label_endpoint, "model": request.endpoint_model,
    }  # fmt: skip


def features_to_label(
    session: Session, training_id: UUID, job_id: UUID, payload: dict[str, Any]
) -> list[int]:
    """Ids of the features that this job has not asked about yet, those that fire most first.

    Features that a person named, and dead ones, are not among them.
    """
    return feature_labels.unlabelled(
        session, training_id, job_id, limit=payload["limit"], only=payload["feature_ids"]
    )


def read_evidence(session: Session, feature_id: int, n_contexts: int) -> Evidence:
    """What a writer is told of a feature."""
    rows = features.list_examples(session, feature_id, n_contexts)
    details = features.metadata_of(session, [feature_id]).get(feature_id, {})
    lens = details.get("logit_lens") or {"top": []}
    return Evidence(
        contexts=[mark_context(row.tokens, row.activations) for row in rows],
        fires_on=[entry["token"] for entry in details.get("top_tokens") or []][:SHOWN_TOKENS],
        promotes=[entry["token"] for entry in lens["top"]][:SHOWN_TOKENS],
    )


def put_label(session: Session, feature_id: int, label: str | None, facts: WriterFacts) -> None:
    """Write a label with its source; what the rules said stays beside it.

    Without a label only the question is noted, so that it is not asked twice.
    """
    feature = features.get(session, feature_id, lock=True)
    if feature is None or feature.name:  # a person named it meanwhile
        return
    written = feature.metadata_.get("label_writer") or {}
    rule = written.get("rule") or {"label": feature.label, "source": feature.label_source}
    note = {
        "model": facts.model, "job_id": str(facts.job_id), "prompt_version": VERSION,
        "at": datetime.now(UTC).isoformat(), "answered": label is not None, "rule": rule,
    }  # fmt: skip
    feature.metadata_ = {**feature.metadata_, "label_writer": note}
    if label is not None:
        feature.label, feature.label_source = label, facts.source
    session.flush()
