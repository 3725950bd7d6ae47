"""Shapes that every endpoint shares: the envelope, pages and errors."""

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    model_validator,
)
from pydantic_core import core_schema

from app.core.enums import ErrorCode, JobState

T = TypeVar("T")

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
MAX_DEPTH = 32
# A million small values fit into a body; to refuse each field of them by its name would take the
# event loop for seconds. The largest honest body is an export of 3,000 templates and presets.
MAX_VALUES = 250_000
MAX_KEYS = 1_000
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def to_snake(name: str) -> str:
    """``repoId`` → ``repo_id``; names already in snake case stay."""
    return _HUMP.sub("_", name).lower()


def _objection(data: Any) -> str | None:
    """Why a JSON value cannot be taken, whatever its fields mean; None when it can be."""
    waiting = [(data, 1)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return f"the body is nested deeper than {MAX_DEPTH} levels"
        if isinstance(value, str) and _UNSTORABLE.search(value):
            return "text must not hold NUL characters or broken surrogates"
        if isinstance(value, float) and not math.isfinite(value):
            return "numbers must be finite"
        if not isinstance(value, dict | list):
            continue
        seen += len(value)
        if seen > MAX_VALUES:
            return f"the body holds more than {MAX_VALUES:,} values"
        if isinstance(value, dict):
            if len(value) > MAX_KEYS:
                return f"an object has more than {MAX_KEYS:,} fields"
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        else:
            waiting += [(item, depth + 1) for item in value]
    return None


# JSON's numbers are exact up to here in every program that reads them.
MAX_ID = 2**53 - 1
# Kinds of values that JSON has itself: "1" is no number and 1 is no truth.
_JSON_KINDS = frozenset({"bool", "int", "float"})


def _strict(schema: Any) -> Any:
    """The validator's plan with JSON's own kinds taken as they are, not converted."""
    if isinstance(schema, list | tuple):
        return type(schema)(_strict(part) for part in schema)
    if not isinstance(schema, dict):
        return schema
    strict = {key: part if key in _OPAQUE else _strict(part) for key, part in schema.items()}
    if schema.get("type") not in _JSON_KINDS:
        return strict
    strict["strict"] = True
    is_int = schema["type"] == "int"
    return core_schema.no_info_before_validator_function(_whole, strict) if is_int else strict


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 3.0 is a whole one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Parts of the plan that hold values and classes, not further plans.
_OPAQUE = frozenset({"default", "metadata", "cls", "expected", "function", "serialization"})


class RequestModel(BaseModel):
    """A request body: unknown fields are refused, the ADR's camelCase spellings accepted."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        strict: core_schema.CoreSchema = _strict(handler(source))
        return strict

    @model_validator(mode="before")
    @classmethod
    def _accept_camel_case(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        objection = _objection(data)
        if objection is not None:
            raise ValueError(objection)
        read: dict[Any, Any] = {}
        for key, value in data.items():
            is_field = key in cls.model_fields or not isinstance(key, str)
            name = key if is_field else to_snake(key)
            if name in read:
                raise ValueError(f"the field {name} is given twice, in two spellings")
            read[name] = value
        return read


def _is_text(value: Any) -> Any:
    if isinstance(value, int | float):
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z")
    return value


# pydantic would also read a number as seconds since 1970, which the document does not say.
Timestamp = Annotated[datetime, BeforeValidator(_is_text)]


class ResponseModel(BaseModel):
    """A response body, readable from ORM rows."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)


class Meta(BaseModel):
    timestamp: datetime
    request_id: str

    @classmethod
    def now(cls, request_id: str) -> "Meta":
        return cls(timestamp=datetime.now(UTC), request_id=request_id)


class Envelope(BaseModel, Generic[T]):
    """One resource."""

    data: T
    meta: Meta


class Pagination(BaseModel):
    page: int
    limit: int
    total: int
    has_next: bool


class Page(BaseModel, Generic[T]):
    """A page of resources."""

    data: list[T]
    pagination: Pagination
    meta: Meta


class ErrorBody(BaseModel):
    code: ErrorCode
    message: str = Field(description="One sentence: what is wrong and what to do")
    details: dict[str, Any]
    retryable: bool = Field(description="Whether the same request may succeed later")
    timestamp: datetime


class ErrorEnvelope(BaseModel):
    """What every failed request answers."""

    error: ErrorBody
    meta: Meta


class JobAccepted(ResponseModel):
    """Answer of everything that runs long: follow it under ``GET /jobs/{job_id}``."""

    job_id: UUID
    resource_id: UUID | None = Field(description="The dataset, model, … that the job works on")
    status: JobState
    estimated_duration_seconds: float | None = Field(
        description="Median run time of the last jobs of this kind; null before the first"
    )
