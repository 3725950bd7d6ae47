"""Puts beside each operation what a real run sent and got."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from app.api.openapi.prose import TAGS

FOLDER = files("app.api.openapi") / "examples"
JSON = "application/json"


def add_examples(operation: dict[str, Any]) -> None:
    """The recorded body and answer of an operation, where it has JSON ones."""
    recorded = recorded_examples(operation["tags"][0]).get(operation["operationId"], {})
    body = operation.get("requestBody", {}).get("content", {})
    _add(body, recorded.get("request"))
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            _add(answer.get("content", {}), recorded.get("response"))


def _add(content: dict[str, Any], example: Any) -> None:
    if example is not None:
        for media_type in content.values():
            media_type["example"] = example


@cache
def recorded_examples(tag: str) -> dict[str, dict[str, Any]]:
    """By operation id; empty for a tag that nothing was recorded of."""
    if tag not in TAGS:
        return {}
    file = FOLDER / f"{tag.replace(' ', '_')}.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
