"""How operations are found and answered, where FastAPI's own way takes most of a small request.

It tries every route of every router in turn, each twice: with 110 routes that is more work than
all the rest. A first look at the prefix leaves a tenth of them. And it validates an answer a second
time and takes another thread for it; ours are valid models, written as JSON where they were made,
and the transaction is committed there.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError
from sqlalchemy.orm import Session
from starlette.routing import Match
from starlette.types import Scope

API_PREFIX = "/api/v1"
JSON = "application/json"


class AnswerRoute(APIRoute):
    """A route whose endpoint's model becomes the answer's bytes in the endpoint's own thread."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        answer = endpoint if inspect.iscoroutinefunction(endpoint) else self._answering(endpoint)
        super().__init__(path, answer, **options)

    def _answering(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(endpoint)
        def answer(**values: Any) -> Any:
            made = endpoint(**values)
            if not isinstance(made, BaseModel):
                return made
            try:
                content = made.__pydantic_serializer__.to_json(made)
            except PydanticSerializationError:  # a row that the declared model has to read first
                return made
            _commit(values)
            answer = Response(content, self.status_code or 200, media_type=JSON)
            answer.raw_headers.extend(_added_headers(values))
            return answer

        return answer


def _commit(values: dict[str, Any]) -> None:
    """Commit where the endpoint ran: another thread for it costs as much as a small query."""
    for value in values.values():
        session = getattr(value, "session", value)
        if isinstance(session, Session):
            session.commit()
            return


def _added_headers(values: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """Headers that the endpoint or a helper wrote into FastAPI's preliminary response."""
    for value in values.values():
        found = getattr(value, "response", value)
        if isinstance(found, Response):
            return [header for header in found.raw_headers if header[0] != b"content-length"]
    return []


class Section(APIRouter):
    """The operations below one prefix, which they all share."""

    def __init__(self, *, prefix: str = "", tags: list[str]) -> None:
        super().__init__(prefix=prefix, tags=[*tags], route_class=AnswerRoute)
        self._address = API_PREFIX + prefix

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not scope["path"].startswith(self._address):
            return Match.NONE, {}
        return super().matches(scope)
