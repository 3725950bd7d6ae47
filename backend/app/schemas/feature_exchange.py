"""Features as files: exports, imports and what an import would do."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.core.enums import JobState
from app.schemas.common import RequestModel, ResponseModel

ExportFormat = Literal["csv", "json", "saedashboard", "parquet", "neuronpedia"]


class FeatureExportCreate(RequestModel):
    """Which features go into which kind of file; the filters are those of the table."""

    training_id: UUID
    format: ExportFormat = Field(
        "parquet",
        description="parquet: everything, comes back the same; neuronpedia, saedashboard: what "
        "those programs read; csv, json: the table without contexts",
    )
    search: str | None = Field(None, max_length=200)
    is_favorite: bool | None = None
    tags: list[str] = Field([], max_length=20, description="All must be there")
    ranges: list[str] = Field(
        [], max_length=40, description="column:from:to, bounds inclusive and optional"
    )


class FeatureExportRead(ResponseModel):
    """A finished export; its file is fetched under ``/features/exports/{job_id}/file``."""

    job_id: UUID
    state: JobState
    training_id: UUID
    format: ExportFormat
    n_features: int
    file_name: str
    size_bytes: int
    sha256: str
    created_at: datetime
    expires_at: datetime = Field(description="The file is deleted then")
    is_available: bool = Field(description="False once the file was deleted")


class FeatureUpload(BaseModel):
    """The multipart form of an upload; the file is streamed to disk as it arrives."""

    file: bytes = Field(
        b"",
        description="An archive: a bundle, a Neuronpedia folder, SAEDashboard batches; or one "
        "SAEDashboard batch (.json)",
        json_schema_extra={"type": "string", "format": "binary"},
    )
    training_id: UUID
    any_dictionary: bool = Field(
        False, description="Also what was measured on a dictionary with other directions"
    )
    dry_run: bool = Field(
        False,
        description="Write nothing; the job's result says what an import would do",
    )
