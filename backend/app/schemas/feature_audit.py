"""Stored contexts held against model and dictionary."""

from uuid import UUID

from pydantic import Field

from app.schemas.common import RequestModel


class FeatureAudit(RequestModel):
    """Recompute random contexts of a training's features; the job's result says what differs."""

    training_id: UUID
    examples: int = Field(100, ge=1, le=1000, description="Contexts, each of a random feature")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Decides which")
    tolerance: float = Field(
        0.05, gt=0, le=1, description="Largest accepted difference, as a share of the maximum"
    )
