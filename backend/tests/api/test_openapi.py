"""The OpenAPI document, its prose and examples, and the pages that show it."""

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api.guard import FORM
from app.api.openapi.document import operations
from app.api.openapi.examples import JSON, recorded_examples
from app.api.openapi.prose import TAGS, described_operations
from app.schemas.events import EVENTS, Event
from app.websocket.rooms import is_room

PAGES = ("/docs", "/redoc")
SOURCE = re.compile(r'(?:src|href)="([^"]+)"')
ID = "[0-9a-f-]{36}"


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_need_no_other_machine_and_no_script_of_their_own(
    client: TestClient, page: str
) -> None:
    answer = client.get(page)
    sources = SOURCE.findall(answer.text)
    assert len([source for source in sources if source.endswith(".js")]) == 2
    for source in sources:
        assert source.startswith("/docs/"), source
        assert client.get(source).status_code == 200, source
    assert not re.search(r"<script>|<style>| on\w+=", answer.text)
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert "default-src 'self'" in policy


def test_redoc_shows_no_picture_of_its_makers_server(client: TestClient) -> None:
    library = client.get("/docs/static/redoc.standalone.js")
    assert library.headers["content-type"].startswith("text/javascript")
    assert "Redoc" in library.text
    assert not re.search(r'src:"https?:', library.text)


def test_the_document_says_what_is_answered(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in json.dumps(document)
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert "get_job" in ids


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    """Behind its one sentence by more in the endpoint's docstring, or by a section of the prose.

    No section speaks of an operation that is gone.
    """
    found = {operation["operationId"]: operation for _, _, operation in operations(document)}
    assert described_operations() <= set(found)
    bare = {
        name
        for name, operation in found.items()
        if operation["description"].removesuffix(".") == operation["summary"]
    }
    assert not bare, "write a section in app/api/openapi/prose/<tag>.md"
    assert [tag["name"] for tag in document["tags"]] == list(TAGS)


def test_every_json_body_shows_what_was_really_sent_or_answered(document: dict[str, Any]) -> None:
    """``make examples`` records them; the lint compares them with their schemas."""
    for path, method, operation in operations(document):
        bodies = [operation.get("requestBody", {})]
        bodies += [answer for answer in operation["responses"].values() if "$ref" not in answer]
        for content in (body.get("content", {}) for body in bodies):
            for kind in {JSON, FORM} & set(content):
                assert "example" in content[kind] or not content[kind].get("schema"), (method, path)


def test_every_operation_declares_its_failures(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        declared = set(operation["responses"])
        assert {"400", "403", "500"} <= declared, path
        if "/health" not in path:
            assert {"401", "429", "503"} <= declared, path
        if "requestBody" in operation:
            assert {"408", "413", "415"} <= declared, (method, path)


def test_an_operation_without_a_body_declares_what_a_body_is_answered(
    client: TestClient, document: dict[str, Any]
) -> None:
    """The guard looks at every body, also where none belongs."""
    sent = {"content": b"x=1", "headers": {"Content-Type": "text/plain"}}
    for path, method, operation in operations(document):
        if "requestBody" not in operation:
            status = str(client.request(method, path, **sent).status_code)
            assert status == "415"
            assert {"413", "415"} <= set(operation["responses"]), (method, path)


def test_what_is_made_or_queued_says_where(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        for status in {"201", "202"} & set(operation["responses"]):
            assert "Location" in operation["responses"][status]["headers"], path


def test_events_stand_beside_it_in_their_own_words(document: dict[str, Any]) -> None:
    assert set(document["webhooks"]) == {event.name for event in EVENTS}
    assert set(document["x-socket-events"]) == set(document["webhooks"])
    for event in EVENTS:
        shown = document["webhooks"][event.name]["post"]
        assert all(f"`{room}`" in shown["description"] for room in event.heard_in)
        assert event.__name__ in document["components"]["schemas"]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_an_event_is_sent_where_the_document_says(event: type[Event]) -> None:
    example = recorded_examples("live updates")[event.name]
    rooms = event.model_validate(example).rooms()
    assert len(rooms) == len(event.heard_in)
    for room, pattern in zip(rooms, event.heard_in, strict=True):
        assert re.fullmatch(re.sub(r"\{\w+\}", ID, pattern), room)
        assert is_room(room)
