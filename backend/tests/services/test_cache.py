"""Answers that are kept: until their time is over, or until what they are about has changed."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
import redis
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.errors import NotFound
from app.db.models import Dataset, Tokenization
from app.schemas.system import Live
from app.services import cache
from tests.factories import make_dataset, make_model, make_tokenization
from tests.fixtures.servers import forget_connections

pytestmark = pytest.mark.usefixtures("settings")


class Reader:
    """Reads an answer and counts how often."""

    def __init__(self) -> None:
        self.name = f"test:{uuid4()}"
        self.readings = 0

    def __call__(self) -> Live:
        self.readings += 1
        return Live(status="ok")

    def ask(self, kept: timedelta = timedelta(hours=1)) -> int:
        assert cache.remembered(self.name, kept, Live, self) == Live(status="ok")
        return self.readings


def test_an_answer_is_read_once_and_kept_for_its_time(settings: Settings) -> None:
    reader = Reader()
    assert [reader.ask(), reader.ask()] == [1, 1]
    with redis.Redis.from_url(settings.require_redis_url()) as client:
        assert 3000 < client.ttl(cache.PREFIX + reader.name) <= 3600


def test_the_times_are_those_of_the_record() -> None:
    assert timedelta(hours=1) == cache.MODEL_METADATA_KEPT
    assert timedelta(hours=24) == cache.DATASET_STATISTICS_KEPT


@pytest.mark.parametrize("change", ["insert", "flush", "statement", "delete"])
def test_any_committed_change_ends_it(session: Session, change: str) -> None:
    dataset = make_dataset(session)
    tokenization = make_tokenization(session, dataset, make_model(session))
    session.commit()
    reader = Reader()
    reader.ask()
    if change == "insert":
        make_dataset(session)
    elif change == "flush":
        dataset.name = "another"
        session.flush()
    elif change == "statement":
        session.execute(update(Tokenization).values(n_tokens=7))
    else:
        session.execute(delete(Tokenization).where(Tokenization.id == tokenization.id))
    assert reader.ask() == 1, "not committed yet"
    session.commit()
    assert reader.ask() == 2


def test_what_was_rolled_back_ends_nothing(session: Session) -> None:
    reader = Reader()
    reader.ask()
    with session.begin_nested() as savepoint:
        session.execute(update(Dataset).values(name="x"))
        savepoint.rollback()
    session.commit()
    assert reader.ask() == 1


def test_a_slow_reader_keeps_nothing_old() -> None:
    """The change is committed after the rows were read and before the answer is kept."""
    reader = Reader()

    def read_slowly() -> Live:
        answer = reader()
        cache.forget_everything()
        return answer

    cache.remembered(reader.name, timedelta(hours=1), Live, read_slowly)
    assert reader.ask() == 2


def test_an_answer_of_another_version_is_read_anew(settings: Settings) -> None:
    reader = Reader()
    reader.ask()
    key = cache.PREFIX + reader.name
    with redis.Redis.from_url(settings.require_redis_url()) as client:
        entry = json.loads(client.get(key))
        client.set(key, json.dumps(entry | {"answer": {"condition": "ok"}}))
    assert [reader.ask(), reader.ask()] == [2, 2]


def test_failures_are_not_kept() -> None:
    def fail() -> Live:
        raise NotFound("gone")

    reader = Reader()
    with pytest.raises(NotFound):
        cache.remembered(reader.name, timedelta(hours=1), Live, fail)
    assert reader.ask() == 1


def test_without_redis_everything_is_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    forget_connections()
    reader = Reader()
    assert [reader.ask(), reader.ask()] == [1, 2]
    cache.forget_everything()
    monkeypatch.undo()
    forget_connections()
