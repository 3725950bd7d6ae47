"""What is searched for, read as a text: which features fire on it, among the hits of a search."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState
from app.core.errors import AppError
from app.db.repositories import features
from app.schemas.feature import LiveSearch
from app.services import job_service
from app.services.cache import remembered
from app.services.feature_probe_service import probed_place
from app.services.job_waiting import JobTimedOut, wait_for_job
from app.services.lookup import require_training

PATIENCE_SECONDS = 20.0
"""A warm process answers in a tenth of a second; a cold one loads the model first."""
LATE = "The model is still being loaded. Search again in a moment."
KEPT = timedelta(minutes=5)
"""So that the pages of a search are of one answer."""
STRONGEST = 200
HITS = 50


class LiveHit(BaseModel):
    """``share``: the largest activation on the text as a share of the corpus's largest."""

    feature_id: int
    token: str
    share: float


class LiveHits(BaseModel):
    hits: list[LiveHit]


def find_live_hits(
    session: Session,
    settings: Settings,
    training_id: UUID,
    text: str,
    is_abandoned: Callable[[], bool],
) -> tuple[list[LiveHit], LiveSearch]:
    """The features that come nearest to their maximum on a text, and whether that was found out.

    A search is of use without them, so nothing that goes wrong here is an error.
    """
    try:
        hits = _hits(session, settings, training_id, text, is_abandoned)
    except AppError as error:
        is_late = isinstance(error, JobTimedOut) and error.details.get("state") != JobState.QUEUED
        message = LATE if is_late else error.message
        return [], LiveSearch(is_answered=False, n_hits=0, message=message)
    return hits, LiveSearch(is_answered=True, n_hits=len(hits), message=None)


def _hits(
    session: Session,
    settings: Settings,
    training_id: UUID,
    text: str,
    is_abandoned: Callable[[], bool],
) -> list[LiveHit]:
    training = require_training(session, training_id)
    place = probed_place(session, training)

    def ask() -> LiveHits:
        asked: dict[str, Any] = {"text": text, "lines": None, "top_k": STRONGEST, "features": []}
        job = job_service.create_job(
            session, JobKind.FEATURE_PROBE, None, None, place | asked, max_attempts=2
        )
        session.commit()
        seconds = min(PATIENCE_SECONDS, settings.steering_timeout.total_seconds())
        ended = wait_for_job(session, job.id, seconds, is_abandoned, spares_running=True)
        return LiveHits(hits=_nearest_to_maximum(session, training_id, ended.result or {}))

    name = hashlib.sha256(f"{training_id} {place['sae_path']} {text}".encode()).hexdigest()
    return remembered(f"live:{name}", KEPT, LiveHits, ask).hits


def _nearest_to_maximum(
    session: Session, training_id: UUID, found: dict[str, Any]
) -> list[LiveHit]:
    firings, tokens = found.get("firings", []), found.get("tokens", [])
    known = features.by_index(session, training_id, [firing["feature"] for firing in firings])
    hits = [
        LiveHit(
            feature_id=feature.id,
            token=tokens[firing["position"]],
            share=firing["max_activation"] / feature.max_activation,
        )
        for firing in firings
        if (feature := known.get(firing["feature"])) is not None and feature.max_activation
    ]
    return sorted(hits, key=lambda hit: -hit.share)[:HITS]
