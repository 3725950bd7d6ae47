"""Reusable parameters of endpoints, and how an answer gets its envelope."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from anyio import from_thread
from fastapi import Depends, Header, Query, Request, Response
from pydantic import AliasChoices, BaseModel
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.core.config import Settings
from app.db.session import get_session_factory
from app.schemas.common import Envelope, ErrorEnvelope, JobAccepted, Meta, Page, Pagination
from app.services.idempotency import answer_once
from app.services.paging import RowPage, SortOrder
from app.services.schema_guard import fitted_within, require_fitting_database
from app.services.versions import etag_of

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)
API = "/api/v1"
MAX_PAGE_SIZE = 200
# How long the database counts as of this version without being asked again.
FITS_FOR_SECONDS = 5.0


async def _settings(request: Request) -> Settings:
    """Those of this application. With an override FastAPI would read every signature anew."""
    settings: Settings = request.app.state.settings
    return settings


async def _open_session() -> AsyncIterator[Session]:
    """A transaction that takes a thread only where it waits for the database."""
    session = get_session_factory()()
    try:
        if not fitted_within(FITS_FOR_SECONDS):
            await run_in_threadpool(require_fitting_database, session)
        yield session
        if session.in_transaction():
            await run_in_threadpool(session.commit)
    except BaseException:
        await run_in_threadpool(session.rollback)
        raise
    finally:
        if session.in_transaction():
            await run_in_threadpool(session.close)


# Committed before the answer leaves ("function" scope), so that whoever reads the answer can
# read what it names.
SessionDep = Annotated[Session, Depends(_open_session, scope="function")]
SettingsDep = Annotated[Settings, Depends(_settings)]
PageQuery = Annotated[int, Query(ge=1, le=1_000_000, description="1-based")]
LimitQuery = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Rows per page")]
SearchQuery = Annotated[str | None, Query(max_length=200)]
SortQuery = Annotated[str, Query(validation_alias=AliasChoices("sort_by", "sortBy"), max_length=40)]
OrderQuery = Annotated[SortOrder, Query()]
IdempotencyHeader = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Any new text, e.g. a UUID. The same request with the same key within 24 hours "
        "is answered again, not done again; another request with it is refused (422)",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        max_length=1_000,
        description="ETag of the state that the change was made for; 412 when it is another by now",
    ),
]


async def _meta(request: Request) -> Meta:
    return Meta.now(str(request.state.request_id))


MetaDep = Annotated[Meta, Depends(_meta)]


def enveloped(data: T, meta: Meta) -> Envelope[T]:
    return Envelope(data=data, meta=meta)


def queued(accepted: JobAccepted, meta: Meta, response: Response) -> Envelope[JobAccepted]:
    """The envelope of what runs long; ``Location`` names the job to follow."""
    response.headers["Location"] = f"{API}/jobs/{accepted.job_id}"
    return enveloped(accepted, meta)


@dataclass(frozen=True)
class Posting:
    """How a POST that makes something answers: once for each ``Idempotency-Key``."""

    session: Session
    meta: Meta
    response: Response
    operation: str
    key: str | None

    def queued(
        self, body: BaseModel | None, make: Callable[[], JobAccepted]
    ) -> Envelope[JobAccepted]:
        return queued(self._once(body, JobAccepted, make), self.meta, self.response)

    def answered(
        self, body: BaseModel, kind: type[ModelT], make: Callable[[], ModelT]
    ) -> Envelope[ModelT]:
        """What makes many things, so that no address is that of what was made."""
        return enveloped(self._once(body, kind, make), self.meta)

    def created(
        self,
        body: BaseModel | None,
        kind: type[ModelT],
        make: Callable[[], ModelT],
        path: Callable[[ModelT], str],
        *,
        is_versioned: bool = False,
    ) -> Envelope[ModelT]:
        """
        Args:
            body: The request's body, if it has one.
            kind: Type of the answer.
            make: Does the work.
            path: Where what was made lies, below ``/api/v1``.
            is_versioned: Whether the answer is what a GET of it shows, so that it has an ETag.
        """
        data = self._once(body, kind, make)
        self.response.headers["Location"] = f"{API}{path(data)}"
        if is_versioned:
            self.response.headers["ETag"] = etag_of(data)
        return enveloped(data, self.meta)

    def _once(
        self, body: BaseModel | None, kind: type[ModelT], make: Callable[[], ModelT]
    ) -> ModelT:
        if self.key is None:
            return make()
        data, is_replayed = answer_once(self.session, self.key, self.operation, body, kind, make)
        if is_replayed:
            self.response.headers["Idempotency-Replayed"] = "true"
        return data


async def _posting(
    request: Request,
    response: Response,
    session: SessionDep,
    meta: MetaDep,
    idempotency_key: IdempotencyHeader = None,
) -> Posting:
    operation = f"{request.method} {request.url.path}"
    if request.url.query:
        operation += f"?{request.url.query}"
    return Posting(session, meta, response, operation[:255], idempotency_key)


PostingDep = Annotated[Posting, Depends(_posting)]


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
