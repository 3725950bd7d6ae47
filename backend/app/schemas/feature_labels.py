"""Labels written by a language model of this machine."""

from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator

from app.schemas.common import RequestModel, ResponseModel


class LabelWriter(ResponseModel):
    """Something on this machine that can write labels."""

    kind: Literal["model", "endpoint"]
    name: str = Field(description="The model's name, or the server's address")
    model_id: UUID | None = Field(description="Of an imported model; null for a server")


class FeatureLabelling(RequestModel):
    """Ask a language model for labels; names that people gave stay."""

    training_id: UUID
    model_id: UUID | None = Field(None, description="An imported model with a chat template")
    endpoint_model: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Name of a model of the server that MISTUDIO_LABEL_ENDPOINT names",
    )
    feature_ids: list[int] | None = Field(
        None, min_length=1, max_length=1000, description="Only these; by default all"
    )
    limit: int = Field(100, ge=1, le=10_000, description="Features, those that fire most first")
    contexts: int = Field(10, ge=1, le=40, description="Strongest contexts that are shown")

    @model_validator(mode="after")
    def _one_writer(self) -> "FeatureLabelling":
        if (self.model_id is None) == (self.endpoint_model is None):
            raise ValueError("name either model_id or endpoint_model")
        return self
