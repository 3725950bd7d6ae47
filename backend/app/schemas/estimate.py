"""What a job will take: shown before it starts, recorded with it, compared when it has ended."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from app.schemas.common import ResponseModel


class Fit(StrEnum):
    FITS = "fits"
    TIGHT = "tight"
    DOES_NOT_FIT = "does_not_fit"


class NeedRead(ResponseModel):
    name: str
    size_bytes: int
    reclaimable: bool = Field(description="Pages of files, which the system drops when it must")


class ResourceNeed(ResponseModel):
    name: Literal["memory", "gpu_memory", "disk"]
    needed_bytes: int
    reclaimable_bytes: int = Field(description="The part of it that does not count for fitting")
    free_bytes: int = Field(description="Free at the moment")
    limit_bytes: int = Field(description="The most that a job can ever have here")
    parts: list[NeedRead]


class EstimatedTime(ResponseModel):
    seconds: float | None
    tokens_per_second: float | None
    tokens: int
    source: str = Field(description="Where the rate is from")


class Estimate(ResponseModel):
    device: str
    resources: list[ResourceNeed]
    time: EstimatedTime
    fit: Fit = Field(description="tight: it would fit if the estimate is up to a quarter too high")
    limiter: Literal["memory", "gpu_memory", "disk"] = Field(
        description="What it needs the largest share of"
    )
    message: str
    proposal: dict[str, Any] | None = Field(description="Change of the request with which it fits")


class JobEstimate(ResponseModel):
    """The estimate that a job was started with."""

    memory_bytes: int
    gpu_memory_bytes: int | None
    disk_bytes: int
    seconds: float | None
    time_source: str


class JobMeasured(ResponseModel):
    """What a job took, by its process; of several runs the sum of times and the largest sizes."""

    memory_bytes: int | None = Field(description="Largest resident size of its process")
    gpu_memory_bytes: int | None
    base_bytes: int | None = Field(description="Resident size before the work, libraries loaded")
    seconds: float
