"""Doing once what a client asks for twice under one ``Idempotency-Key``.

The key is written in the transaction that does the work: either both are there or neither, so a
client that lost the answer can repeat its request without fear, also after a crash.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.core.enums import ErrorCode
from app.core.errors import AppError, Conflict
from app.db.models import IdempotencyKey
from app.db.repositories import idempotency

ModelT = TypeVar("ModelT", bound=BaseModel)

KEPT = timedelta(hours=24)
SECRETS = {"access_token"}


class RequestInFlight(Conflict):
    """The first request with this key has not ended yet."""

    retryable = True


class KeyReused(AppError):
    """The key belongs to another request."""

    code = ErrorCode.IDEMPOTENCY_KEY_REUSED
    status = 422


def answer_once(
    session: Session,
    key: str,
    operation: str,
    body: BaseModel | None,
    kind: type[ModelT],
    make: Callable[[], ModelT],
) -> tuple[ModelT, bool]:
    """Do the work, or give the answer of the request that did it. Failures are not remembered.

    Args:
        session: Open session; the key is committed with the work.
        key: The client's key.
        operation: Method and path.
        body: The request's body, if it has one.
        kind: Type of the answer.
        make: Does the work.

    Returns:
        The answer, and whether an earlier request did the work.

    Raises:
        RequestInFlight: Another request with this key is being worked on.
        KeyReused: The key was used for something else.
    """
    if not idempotency.try_lock(session, key):
        raise RequestInFlight(
            "A request with this Idempotency-Key is being worked on. Ask again in a moment.",
            details={"idempotency_key": key},
        )
    known = idempotency.get(session, key, kept=KEPT)
    body_hash = hash_of(body)
    if known is not None:
        if (known.operation, known.body_hash) != (operation, body_hash):
            raise KeyReused(
                "This Idempotency-Key was used for another request. Take a new key.",
                details={"idempotency_key": key, "used_for": known.operation},
            )
        return kind.model_validate(known.answer), True
    data = make()
    row = IdempotencyKey(
        key=key, operation=operation, body_hash=body_hash, answer=data.model_dump(mode="json")
    )
    idempotency.add(session, row, kept=KEPT)
    return data, False


def hash_of(body: BaseModel | None) -> str:
    """SHA-256 of a body's content, without secrets; spelling and order of fields do not count."""
    content = body.model_dump(mode="json", exclude=SECRETS) if body is not None else None
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
