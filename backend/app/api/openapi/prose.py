"""Reads the prose of tags and operations; a section is named by its operation's id."""

import re
from functools import cache
from importlib.resources import files
from typing import Any

_FOLDER = files("app.api.openapi") / "prose"
_SECTION = re.compile(r"^## ([a-z_]+)$", re.MULTILINE)

# In the order of a first visit.
TAGS = (
    "datasets", "models", "activations", "trainings", "saes", "features", "steering",
    "templates", "jobs", "workflows", "system", "live updates",
)  # fmt: skip
INTRODUCTION = (_FOLDER / "introduction.md").read_text(encoding="utf-8").strip()


def tags() -> list[dict[str, str]]:
    return [{"name": name, "description": _read(name)[0]} for name in TAGS]


def describe(operation: dict[str, Any]) -> None:
    """The endpoint's own sentence is the summary; the prose says what else there is to say."""
    said = str(operation.get("description", operation["summary"]))
    sentence, _, more = said.partition("\n\n")
    operation["summary"] = " ".join(sentence.split()).removesuffix(".")
    section = _read(operation["tags"][0])[1].get(operation["operationId"], "")
    operation["description"] = "\n\n".join(part for part in (more, section) if part) or sentence


def described_operations() -> frozenset[str]:
    """The operations that have a section."""
    return frozenset(name for tag in TAGS for name in _read(tag)[1])


@cache
def _read(tag: str) -> tuple[str, dict[str, str]]:
    """What a tag is about, and the sections of its operations."""
    text = (_FOLDER / f"{tag.replace(' ', '_')}.md").read_text(encoding="utf-8")
    about, *parts = _SECTION.split(text)
    sections = dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    return about.strip(), sections
