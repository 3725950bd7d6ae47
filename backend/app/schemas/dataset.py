"""Datasets, their samples, statistics and tokenisations."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from app.core.enums import DatasetSource, DatasetStatus, TokenizationStatus
from app.ml.configs import TokenizationConfig
from app.schemas.access_token import TOKEN_HELP, AccessToken
from app.schemas.common import RequestModel, ResponseModel
from app.schemas.from_dataclass import request_model_from
from app.schemas.job import JobSummary
from app.schemas.repo_id import RepoId


class DatasetDownload(RequestModel):
    """Download a dataset from the Hugging Face hub."""

    repo_id: RepoId = Field(examples=["roneneldan/TinyStories"])
    access_token: AccessToken | None = Field(None, description=TOKEN_HELP)
    split: str | None = Field(None, max_length=64, examples=["train"])
    config: str | None = Field(None, max_length=128)
    text_column: str | None = Field(None, max_length=128, description="Column that holds the text")
    max_documents: int | None = Field(None, ge=1, description="Take only the first documents")


class DatasetImport(RequestModel):
    """Import text from this machine: a file, a folder, or installed packages' documentation."""

    name: str = Field(min_length=1, max_length=255, examples=["my-corpus"])
    path: str | None = Field(
        None, description="File (.txt .md .jsonl .json .csv .parquet, also .gz) or folder"
    )
    builtin: Literal["python-docs"] | None = Field(
        None, description="python-docs: documentation strings of the installed Python packages"
    )
    text_column: str | None = Field(None, max_length=128)
    max_documents: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _one_source(self) -> "DatasetImport":
        if (self.path is None) == (self.builtin is None):
            raise ValueError("Give either a path or a builtin corpus")
        return self


class DatasetUpload(BaseModel):
    """The multipart form of an upload; the file is streamed to disk as it arrives."""

    file: bytes = Field(
        description="The text file", json_schema_extra={"type": "string", "format": "binary"}
    )
    name: str | None = Field(None, max_length=255, description="By default the file's name")
    text_column: str | None = Field(None, max_length=128)


class TokenizationRead(ResponseModel):
    id: UUID
    dataset_id: UUID
    model_id: UUID
    status: TokenizationStatus
    progress: float | None
    n_tokens: int | None
    n_documents: int | None
    error_message: str | None
    metadata: dict[str, Any] | None = Field(validation_alias="metadata_")
    created_at: datetime
    job: JobSummary | None


class DatasetRead(ResponseModel):
    id: UUID
    name: str
    source: DatasetSource
    repo_id: str | None
    size_bytes: int | None
    n_documents: int | None = Field(description="Documents after import; null until ready")
    status: DatasetStatus
    progress: float | None
    error_message: str | None
    metadata: dict[str, Any] | None = Field(validation_alias="metadata_")
    tokenizations: list[TokenizationRead]
    created_at: datetime
    updated_at: datetime
    job: JobSummary | None


class DatasetSample(ResponseModel):
    index: int
    title: str | None
    text: str
    n_characters: int


class LengthBucket(ResponseModel):
    lower: int
    upper: int | None
    count: int


class DatasetStats(ResponseModel):
    """Measured at import (characters) and at tokenisation (tokens)."""

    n_documents: int
    n_characters: int
    mean_characters: float
    min_characters: int
    median_characters: float
    max_characters: int
    character_histogram: list[LengthBucket]
    tokenization_id: UUID | None = Field(description="Latest tokenisation that the rest is of")
    n_tokens: int | None
    mean_tokens: float | None
    unique_tokens: int | None
    token_histogram: list[LengthBucket] | None
    n_train_documents: int | None
    n_held_out_documents: int | None


_TokenizationSettings = request_model_from(TokenizationConfig, "TokenizationSettings")


class TokenizeRequest(_TokenizationSettings):  # type: ignore[misc, valid-type]
    """Tokenise a dataset with a model's tokenizer."""

    model_id: UUID


class TokenizePreviewRequest(RequestModel):
    model_id: UUID
    text: str = Field(min_length=1, max_length=20_000)


class TokenPiece(ResponseModel):
    id: int
    text: str


class TokenizePreview(ResponseModel):
    tokens: list[TokenPiece]
    n_tokens: int
    n_characters: int
