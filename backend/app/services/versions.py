"""Entity tags: whoever changes a row can say which state of it he has seen."""

import hashlib
import json

from pydantic import BaseModel

from app.core.enums import ErrorCode
from app.core.errors import AppError


class PreconditionFailed(AppError):
    """The row is not in the state that the request was made for."""

    code = ErrorCode.PRECONDITION_FAILED
    status = 412


def etag_of(read: BaseModel) -> str:
    """The strong tag of what a client is shown; equal content has an equal tag."""
    # Sorted: what was just written and what PostgreSQL gives back may differ in the order of keys.
    content = json.dumps(read.model_dump(mode="json", exclude={"updated_at"}), sort_keys=True)
    return f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'


def require_match(read: BaseModel, if_match: str | None) -> None:
    """Let a change pass when its ``If-Match`` names the present state, or when it has none.

    Raises:
        PreconditionFailed: Somebody changed the row meanwhile.
    """
    if if_match is None:
        return
    # A proxy that compresses an answer marks its tag as weak; it still names the same state.
    wanted = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    present = etag_of(read)
    if wanted.isdisjoint({"*", present}):
        raise PreconditionFailed(
            "It was changed meanwhile. Reload it and make your change again.",
            details={"if_match": if_match[:200], "etag": present},
        )
