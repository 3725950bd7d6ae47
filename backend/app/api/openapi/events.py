"""The Socket.IO events in the document, made of the classes that are sent.

OpenAPI knows no sockets; ``webhooks`` is its place for what a server sends by itself, and both
Swagger and ReDoc show them with schema and example.
"""

from typing import Any

from pydantic.json_schema import models_json_schema

from app.api.openapi.examples import JSON, recorded_examples
from app.schemas.events import EVENTS, Event

REFERENCE = "#/components/schemas/{model}"
TAG = "live updates"


def add_events(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    _, made = models_json_schema(
        [(event, "serialization") for event in EVENTS], ref_template=REFERENCE
    )
    for name, schema in made.get("$defs", {}).items():
        schemas.setdefault(name, schema)
    document["x-socket-events"] = {event.name: _reference(event) for event in EVENTS}
    document["webhooks"] = {event.name: {"post": _described(event)} for event in EVENTS}


def _reference(event: type[Event]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=event.__name__)}


def _described(event: type[Event]) -> dict[str, Any]:
    about = " ".join((event.__doc__ or "").split())
    heard = " and ".join(f"`{room}`" for room in event.heard_in)
    content: dict[str, Any] = {"schema": _reference(event)}
    example = recorded_examples(TAG).get(event.name)
    if example is not None:
        content["example"] = example
    return {
        "tags": [TAG],
        "operationId": f"on_{event.name.replace('.', '_')}",
        "summary": f"Socket.IO event {event.name}",
        "description": f"{about}\n\nSent over Socket.IO to the room {heard}; nothing is posted.",
        "requestBody": {"required": True, "content": {JSON: content}},
        "responses": {"default": {"description": "Events are not answered"}},
    }
