"""Reusable parameters of endpoints, and how an answer gets its envelope."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar

from anyio import from_thread
from fastapi import Depends, Header, Query, Request, Response
from pydantic import AliasChoices, BaseModel
from sqlalchemy.orm import Session

from app.core.config import Settings, get_settings
from app.db.session import session_scope
from app.schemas.common import Envelope, ErrorEnvelope, Meta, Page, Pagination
from app.services.paging import RowPage, SortOrder
from app.services.versions import etag_of

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)
MAX_PAGE_SIZE = 200


def _open_session() -> Iterator[Session]:
    with session_scope() as session:
        yield session


# Committed before the answer leaves ("function" scope), so that whoever reads the answer can
# read what it names.
SessionDep = Annotated[Session, Depends(_open_session, scope="function")]
SettingsDep = Annotated[Settings, Depends(get_settings)]
PageQuery = Annotated[int, Query(ge=1, le=1_000_000, description="1-based")]
LimitQuery = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Rows per page")]
SearchQuery = Annotated[str | None, Query(max_length=200)]
SortQuery = Annotated[str, Query(validation_alias=AliasChoices("sort_by", "sortBy"), max_length=40)]
OrderQuery = Annotated[SortOrder, Query()]
IfMatch = Annotated[
    str | None,
    Header(
        max_length=1_000,
        description="ETag of the state that the change was made for; 412 when it is another by now",
    ),
]


def _meta(request: Request) -> Meta:
    return Meta.now(str(request.state.request_id))


MetaDep = Annotated[Meta, Depends(_meta)]


def enveloped(data: T, meta: Meta) -> Envelope[T]:
    return Envelope(data=data, meta=meta)


def tagged(data: ModelT, meta: Meta, response: Response) -> Envelope[ModelT]:
    """An envelope whose ETag names this state of the data, for a later ``If-Match``."""
    response.headers["ETag"] = etag_of(data)
    return enveloped(data, meta)


def paged(rows: RowPage[T], meta: Meta) -> Page[T]:
    return Page(
        data=rows.items,
        pagination=Pagination(
            page=rows.page, limit=rows.limit, total=rows.total, has_next=rows.has_next
        ),
        meta=meta,
    )


def body_chunks(request: Request) -> Iterator[bytes]:
    """The request's body as it arrives, for an endpoint that runs in a worker thread."""
    stream = request.stream()
    while chunk := from_thread.run(anext, stream, b""):
        yield chunk


def client_left(request: Request) -> Callable[[], bool]:
    """Whether whoever asked has gone, for an endpoint that waits in a worker thread."""
    return lambda: from_thread.run(request.is_disconnected)


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of an endpoint: 400 always, and the named further ones."""
    return {status: {"model": ErrorEnvelope} for status in (400, *statuses)}
