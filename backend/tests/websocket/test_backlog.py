"""A client whose connection broke gets the rest of a text: no gap, nothing twice, in order."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis

from app.core.config import Settings
from app.schemas.events import (
    SteeringStarted,
    SteeringStartedData,
    SteeringToken,
    SteeringTokens,
    SteeringTokensData,
)
from app.websocket import publisher
from app.websocket.backlog import KEPT_SECONDS, Replays, key_of
from tests.fixtures.text_reader import TextReader

N_TOKENS = 400


def started(job_id: UUID) -> SteeringStarted:
    return SteeringStarted(seq=1, data=SteeringStartedData(job_id=job_id, prompt_tokens=[]))


def step(job_id: UUID, index: int) -> SteeringTokens:
    token = SteeringToken(
        row=0, branch="steered", index=index, token_id=index, text=f" {index}", logprob=-1.0,
        base_logprob=-1.0, kl=0.0, read_activations=[], read_achieved=[],
    )  # fmt: skip
    return SteeringTokens(seq=index + 2, data=SteeringTokensData(job_id=job_id, tokens=[token]))


@pytest.fixture
def reader(address: str) -> Iterator[TextReader]:
    reader = TextReader(address)
    yield reader
    reader.client.disconnect()


def test_a_broken_connection_loses_and_repeats_nothing(address: str, reader: TextReader) -> None:
    job_id = uuid4()
    room = f"job:{job_id}"
    assert reader.subscribe(room=room, after=-1) == {"ok": True, "room": room, "sent": 0}
    writer = threading.Thread(target=publish_all, args=(job_id,))
    writer.start()
    heard = reader.until(20)
    readers = [reader]
    try:
        while heard[-1] < N_TOKENS - 1:  # broken again and again while the text is written
            readers[-1].drop()
            readers.append(TextReader(address))
            assert readers[-1].subscribe(room=room, after=heard[-1])["sent"] is not None
            heard += readers[-1].until(min(heard[-1] + 60, N_TOKENS - 1))
    finally:
        writer.join()
        for each in readers[1:]:
            each.client.disconnect()
    assert len(readers) > 5
    assert heard == [-1, *range(N_TOKENS)]


def publish_all(job_id: UUID) -> None:
    publisher.publish(started(job_id))
    for index in range(N_TOKENS):
        publisher.publish(step(job_id, index))


def test_who_comes_late_gets_everything_and_a_new_attempt_begins_anew(
    servers: Settings, reader: TextReader
) -> None:
    job_id = uuid4()
    room = f"job:{job_id}"
    for event in (started(job_id), step(job_id, 0), started(job_id), step(job_id, 0)):
        publisher.publish(event)
    publisher.publish(step(job_id, 1))
    assert reader.subscribe(room=room, after=-1)["sent"] == 3
    assert reader.until(1) == [-1, 0, 1]
    assert reader.subscribe(room=room, after=0)["sent"] == 1
    assert reader.until(1) == [1]
    publisher.publish(step(job_id, 2))
    assert reader.until(2) == [2]
    with redis.Redis.from_url(servers.require_redis_url()) as client:
        assert 0 < client.ttl(key_of(room)) <= KEPT_SECONDS


@pytest.mark.fault(24)
@pytest.mark.parametrize("after", ["1", -2, 1.5, True, [], 10**9])
def test_other_places_are_refused(reader: TextReader, after: object) -> None:
    answer = reader.subscribe(room=f"job:{uuid4()}", after=after)
    assert answer == {"ok": False, "error": "after is no index"}


def test_live_events_pass_by_whoever_is_being_given_them(servers: Settings) -> None:
    """The order of events that a race would need luck for."""
    asyncio.run(_pass_by(servers))


async def _pass_by(servers: Settings) -> None:
    job_id = uuid4()
    room = f"job:{job_id}"
    replays = Replays(servers.require_redis_url())
    sent: list[int] = []

    async def send(entry: dict[str, Any], client: str) -> None:
        sent.append(entry["place"])
        if entry["place"] == 1:  # written and relayed while the backlog is being sent
            publisher.publish(step(job_id, 2))
            assert replays.passed_by(room, 2) == [client]

    for index in (0, 1):
        publisher.publish(step(job_id, index))
    assert await replays.give(room, "one", 0, send) == 2
    assert sent == [1, 2]
    assert replays.passed_by(room, 2) == ["one"]  # relayed late
    assert replays.passed_by(room, 3) == []
    assert replays.passed_by(room, 4) == []
    replays.forget("one")
    await replays.close()
