"""Messages and events leave after the commit, in order, or never."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from sqlalchemy.orm import Session

from app.core.config import Settings, get_settings
from app.core.enums import JobKind, JobState
from app.db.models import Job
from app.db.session import get_session_factory, session_scope
from app.services import job_service
from app.websocket.publisher import CHANNEL
from app.workers.queues import DOWNLOADS, KEY_PREFIX, task_id
from app.workers.recovery import messages_in_broker
from tests.fixtures.servers import forget_connections

OVER = b"over"


@pytest.fixture
def listener(servers: Settings) -> Iterator[redis.client.PubSub]:
    with redis.Redis.from_url(servers.require_redis_url()) as client:
        client.delete(f"{KEY_PREFIX}{DOWNLOADS}")
        with client.pubsub(ignore_subscribe_messages=True) as pubsub:
            pubsub.subscribe(CHANNEL)
            assert pubsub.get_message(timeout=60) is None  # the subscription itself
            yield pubsub
        client.delete(f"{KEY_PREFIX}{DOWNLOADS}")


def heard(listener: redis.client.PubSub) -> list[dict[str, Any]]:
    """What was published until now: a message of our own comes after all of it."""
    with redis.Redis.from_url(get_settings().require_redis_url()) as client:
        client.publish(CHANNEL, OVER)
    messages = []
    while (message := listener.get_message(timeout=60)) is None or message["data"] != OVER:
        if message is not None:
            messages.append(json.loads(message["data"]))
    return messages


def create(session: Session) -> Job:
    return job_service.create_job(session, JobKind.DATASET_IMPORT, None, None, {})


def test_a_commit_sends_message_and_event(servers: Settings, listener: redis.client.PubSub) -> None:
    with session_scope() as session:
        job = create(session)
        assert task_id(job.id, 1) not in messages_in_broker(servers)
        assert heard(listener) == []
    assert task_id(job.id, 1) in messages_in_broker(servers)
    sent = heard(listener)
    assert [message["room"] for message in sent] == [f"job:{job.id}", "jobs"]
    assert sent[0]["event"] == "job.updated"
    assert sent[0]["data"][0]["data"]["state"] == JobState.QUEUED


def test_a_rollback_sends_nothing(servers: Settings, listener: redis.client.PubSub) -> None:
    with get_session_factory()() as session:
        job = create(session)
        session.rollback()
        session.commit()
    assert task_id(job.id, 1) not in messages_in_broker(servers)
    assert heard(listener) == []


def test_an_exception_sends_nothing(servers: Settings, listener: redis.client.PubSub) -> None:
    def fail() -> None:
        with session_scope() as session:
            create(session)
            raise ZeroDivisionError

    before = messages_in_broker(servers)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert messages_in_broker(servers) <= before
    assert heard(listener) == []


def test_a_savepoint_takes_its_own_with_it(
    servers: Settings, listener: redis.client.PubSub
) -> None:
    with session_scope() as session:
        before = create(session)
        savepoint = session.begin_nested()
        dropped = create(session)
        savepoint.rollback()
        with session.begin_nested():
            kept = create(session)
        assert heard(listener) == []
    held = messages_in_broker(servers)
    assert {task_id(before.id, 1), task_id(kept.id, 1)} <= held
    assert task_id(dropped.id, 1) not in held


def test_without_a_broker_the_job_is_still_accepted(
    servers: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    forget_connections()
    with session_scope() as session:
        job = create(session)
    monkeypatch.undo()
    forget_connections()
    with session_scope() as session:
        assert job_service.get_job(session, job.id).state is JobState.QUEUED
        assert job_service.get_job(session, job.id).dispatched_at is not None


def test_an_unknown_job_is_not_found(session: Session) -> None:
    with pytest.raises(job_service.JobNotFound):
        job_service.get_job(session, uuid4())
