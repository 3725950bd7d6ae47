"""From a worker's publisher over Redis and the API's server to a client, and nobody else."""

import asyncio
from collections.abc import Iterator
from queue import Queue
from typing import Any
from uuid import UUID, uuid4

import pytest
import socketio

from app.core.config import Settings
from app.core.enums import JobAction, JobKind
from app.db.session import session_scope
from app.services import job_service
from app.websocket.endpoint import SocketEndpoint
from app.websocket.rooms import is_room
from app.websocket.server import SOCKET_PATH

DEADLINE_SECONDS = 120.0


class Listener:
    """A client that keeps what it hears. Like a page of ours it sends the server as its Origin."""

    def __init__(self, address: str, **headers: str) -> None:
        self.heard: Queue[dict[str, Any]] = Queue()
        self.client = socketio.Client(reconnection=False)
        self.client.on("job.updated", self.heard.put)
        self.client.connect(
            address,
            headers=headers,
            transports=["websocket"],
            socketio_path=SOCKET_PATH,
            wait_timeout=DEADLINE_SECONDS,  # a second by default
        )

    def ask(self, event: str, data: object) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.call(event, data, timeout=DEADLINE_SECONDS)
        return answer

    def next(self) -> dict[str, Any]:
        return self.heard.get(timeout=DEADLINE_SECONDS)


@pytest.fixture
def listener(address: str) -> Iterator[Listener]:
    listener = Listener(address)
    yield listener
    listener.client.disconnect()


def create_job() -> str:
    with session_scope() as session:
        return str(job_service.create_job(session, JobKind.DATASET_DELETE, None, None, {}).id)


def cancel_job(job_id: str) -> None:
    with session_scope() as session:
        job_service.request(session, UUID(job_id), JobAction.CANCEL)


def test_a_committed_change_reaches_its_room_only(address: str, listener: Listener) -> None:
    elsewhere = Listener(address)
    assert elsewhere.ask("subscribe", {"room": f"job:{uuid4()}"})["ok"]
    assert listener.ask("subscribe", {"room": "jobs"}) == {"ok": True, "room": "jobs"}
    job_id = create_job()
    event = listener.next()
    assert (event["type"], event["data"]["id"]) == ("job.updated", job_id)
    assert event["data"]["state"] == "queued"
    assert listener.ask("unsubscribe", {"room": "jobs"})["ok"]
    create_job()
    assert listener.ask("subscribe", {"room": f"job:{job_id}"})["ok"]
    cancel_job(job_id)
    event = listener.next()  # events come in order: nothing came of the job before it
    assert (event["data"]["id"], event["data"]["state"]) == (job_id, "cancelled")
    for each in (listener, elsewhere):  # what was sent to it lies before the answer
        each.ask("ping", {})
        assert each.heard.empty()
    elsewhere.client.disconnect()


@pytest.mark.fault(24)
@pytest.mark.parametrize("room", ["", "admin", "job:1", "training:x", None, {"a": 1}, "jobs "])
def test_other_rooms_cannot_be_joined(listener: Listener, room: object) -> None:
    assert not is_room(room)
    assert listener.ask("subscribe", {"room": room}) == {"ok": False, "error": "unknown room"}
    assert listener.ask("unsubscribe", {"room": room})["ok"] is False


def test_a_client_may_ping(listener: Listener) -> None:
    assert listener.ask("ping", {}) == {"type": "pong"}


@pytest.mark.fault(24)
def test_foreign_pages_get_no_socket(address: str) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        Listener(address, Origin="https://evil.example")


def test_before_the_start_there_is_a_503(servers: Settings) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    asyncio.run(SocketEndpoint()({"type": "http"}, receive, send))
    asyncio.run(SocketEndpoint()({"type": "websocket"}, receive, send))
    assert sent[0]["status"] == 503
    assert sent[-1]["code"] == 1013
