"""Keeps what passes through an HTTP client, by operation, fit to be shown as an example."""

import json
import re
from pathlib import Path
from typing import Any

import httpx

SHOWN_ENTRIES = 3
SHOWN_CHARACTERS = 400
JSON = "application/json"


class Recorder:
    """The first good request and answer of each operation, shortened, without this machine's paths.

    Args:
        document: The OpenAPI document that the operations are from.
        places: Paths of this machine and what is shown instead.
    """

    def __init__(self, document: dict[str, Any], places: dict[str, str]) -> None:
        self._places = places
        self._operations = [
            (method.upper(), _pattern(path), operation)
            for path, siblings in document["paths"].items()
            for method, operation in siblings.items()
        ]
        self.recorded: dict[str, dict[str, Any]] = {}

    def attach(self, client: httpx.Client) -> None:
        client.event_hooks["response"].append(self._note)

    def missing(self) -> list[str]:
        """Operations that nothing was recorded of although they speak JSON."""
        return [
            operation["operationId"]
            for _, _, operation in self._operations
            if _speaks_json(operation) and operation["operationId"] not in self._by_id()
        ]

    def add(self, tag: str, name: str, example: Any) -> None:
        """Keep something else under a tag."""
        self.recorded.setdefault(tag, {}).setdefault(name, self._shown(example))

    def write(self, folder: Path) -> None:
        for tag, examples in self.recorded.items():
            text = json.dumps(examples, indent=1, ensure_ascii=False, sort_keys=True)
            (folder / f"{tag.replace(' ', '_')}.json").write_text(text + "\n", encoding="utf-8")

    def _by_id(self) -> dict[str, Any]:
        return {
            name: kept for examples in self.recorded.values() for name, kept in examples.items()
        }

    def _note(self, response: httpx.Response) -> None:
        request = response.request
        operation = self._operation(request)
        if operation is None or response.is_error:
            return
        example: dict[str, Any] = {}
        if request.headers.get("content-type") == JSON and request.content:
            example["request"] = self._shown(json.loads(request.content))
        if response.headers.get("content-type") == JSON:
            example["response"] = self._shown(json.loads(response.read()))
        kept = self.recorded.setdefault(operation["tags"][0], {})
        if example:
            kept.setdefault(operation["operationId"], example)

    def _operation(self, request: httpx.Request) -> dict[str, Any] | None:
        found = [
            (path.pattern.count("["), operation)
            for method, path, operation in self._operations
            if method == request.method and path.fullmatch(request.url.path)
        ]
        # A fixed path is meant before one with an id in the same place.
        return min(found, key=lambda pair: pair[0])[1] if found else None

    def _shown(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._shown(item) for key, item in list(value.items())[:40]}
        if isinstance(value, list):
            return [self._shown(item) for item in value[:SHOWN_ENTRIES]]
        if not isinstance(value, str):
            return value
        for place, instead in self._places.items():
            value = value.replace(place, instead)
        return value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}…"


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path))


def _speaks_json(operation: dict[str, Any]) -> bool:
    good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    return any(JSON in answer.get("content", {}) for answer in good)
