"""Answers that change rarely, kept in Redis: a model's parts an hour, a corpus's figures a day.

Every write to the tables behind them, in whatever process, starts a new generation, and an answer
counts only in the generation in which its reading began. So nothing outdated is ever put there by a
slow reader. Without Redis everything is read from the rows, as if nothing had been kept.
"""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import redis
from pydantic import BaseModel, ValidationError
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from app.core.errors import ServiceUnavailable
from app.db.models import Dataset, LanguageModel, Tokenization
from app.services import outbox
from app.services.shared_redis import shared_redis

logger = logging.getLogger(__name__)

MODEL_METADATA_KEPT = timedelta(hours=1)
DATASET_STATISTICS_KEPT = timedelta(hours=24)
PREFIX = "mistudio:cache:"
GENERATION = f"{PREFIX}generation"
WATCHED = (Dataset, LanguageModel, Tokenization)
AWAY = (redis.RedisError, OSError, ServiceUnavailable)

AnswerT = TypeVar("AnswerT", bound=BaseModel)


def remembered(
    name: str, kept: timedelta, kind: type[AnswerT], make: Callable[[], AnswerT]
) -> AnswerT:
    """The kept answer, or the made one, which is kept.

    Args:
        name: Of the answer, with the id of what it is about.
        kept: For how long.
        kind: Type of the answer.
        make: Reads it from the rows; what it raises is not kept.
    """
    key = PREFIX + name
    try:
        generation, held = shared_redis().mget(GENERATION, key)
    except AWAY as error:
        logger.debug("nothing is kept", extra={"reason": str(error)})
        return make()
    if held is not None and (kept_answer := _current(held, generation, kind)) is not None:
        return kept_answer
    answer = make()
    entry = {"generation": generation, "answer": answer.model_dump(mode="json", by_alias=True)}
    try:
        shared_redis().set(key, json.dumps(entry), ex=kept)
    except AWAY as error:
        logger.debug("nothing is kept", extra={"reason": str(error)})
    return answer


def _current(
    held: str | bytes, generation: str | bytes | None, kind: type[AnswerT]
) -> AnswerT | None:
    """What was kept, unless it is outdated or was kept by a version with another answer."""
    entry = json.loads(held)
    if entry["generation"] != generation:
        return None
    try:
        return kind.model_validate(entry["answer"])
    except ValidationError:
        return None


def forget_everything() -> None:
    """Start a new generation."""
    try:
        shared_redis().incr(GENERATION)
    except AWAY as error:
        logger.warning("kept answers may be old", extra={"reason": str(error)})


@event.listens_for(Session, "after_flush")
def _on_flush(session: Session, _context: UOWTransaction) -> None:
    if any(isinstance(row, WATCHED) for row in (*session.new, *session.dirty, *session.deleted)):
        _note_change(session)


@event.listens_for(Session, "do_orm_execute")
def _on_statement(state: ORMExecuteState) -> None:
    changed = state.bind_mapper if state.is_update or state.is_delete else None
    if changed is not None and issubclass(changed.class_, WATCHED):
        _note_change(state.session)


def _note_change(session: Session) -> None:
    outbox.after_commit(session, forget_everything)
