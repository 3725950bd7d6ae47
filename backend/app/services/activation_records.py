"""What an extraction reads and writes about its store and the tokens below it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import TokenizationStatus
from app.db.models import Tokenization
from app.db.repositories import datasets
from app.ml.configs import ExtractionConfig, TokenizationConfig
from app.services.lookup import require_activation, require_model


@dataclass(frozen=True)
class ExtractionPlan:
    """All that an extraction needs to know; ``tokenized`` is False when it must tokenise first."""

    activation_id: UUID
    model_id: UUID
    dataset_id: UUID
    tokenization_id: UUID
    tokenization: TokenizationConfig
    tokenized: bool
    config: ExtractionConfig


def read_plan(session: Session, activation_id: UUID) -> ExtractionPlan:
    """
    Raises:
        ActivationNotFound: The row was deleted.
    """
    store = require_activation(session, activation_id)
    tokenization = _tokenization(session, store.tokenization_id)
    return ExtractionPlan(
        activation_id=store.id,
        model_id=store.model_id,
        dataset_id=store.dataset_id,
        tokenization_id=tokenization.id,
        tokenization=TokenizationConfig.from_dict(tokenization.config),
        tokenized=tokenization.status is TokenizationStatus.READY,
        config=ExtractionConfig.from_dict(store.config),
    )


def mark_tokenization(session: Session, tokenization_id: UUID, status: TokenizationStatus) -> None:
    """Set the status of tokens that an extraction makes; there is no job of their own."""
    row = _tokenization(session, tokenization_id)
    row.status = status
    row.progress = 100.0 if status is TokenizationStatus.READY else row.progress
    session.flush()


def record_extraction(session: Session, activation_id: UUID, summary: dict[str, Any]) -> None:
    """Keep the figures of a finished extraction; ``summary`` is the core's, as JSON."""
    store = require_activation(session, activation_id, lock=True)
    store.n_tokens = summary["n_tokens"]
    store.size_bytes = summary["size_bytes"]
    store.metadata_ = summary
    widths = [hook["d_model"] for hook in summary["hooks"] if hook["hook_type"] == "z"]
    if widths and require_model(session, store.model_id).metadata_.get("d_z") is None:
        model = require_model(session, store.model_id, lock=True)
        model.metadata_ = model.metadata_ | {"d_z": widths[0]}
    session.flush()


def _tokenization(session: Session, tokenization_id: UUID | None) -> Tokenization:
    row = datasets.get_tokenization(session, tokenization_id) if tokenization_id else None
    if row is None:
        raise LookupError(f"tokenization {tokenization_id} is gone")
    return row
