"""What is wrong with one field of a request, in words that say what to enter instead."""

from collections.abc import Callable, Mapping
from typing import Any

Context = Mapping[str, Any]

_WHOLE_NUMBER = "must be a whole number"
_NUMBER = "must be a number"
_OBJECT = "must be a JSON object, with names in front of its values"
_ID = "must be an id, as the lists show it"


def _entries(count: int) -> str:
    return f"{count} entry" if count == 1 else f"{count} entries"


def _figure(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:.12g}"


def _at_least(context: Context) -> str:
    if context["min_length"] == 1:
        return "must not be empty"
    return f"must have at least {context['min_length']} characters"


# By pydantic's names of errors; the words go on after the field's name.
_WORDS: dict[str, str | Callable[[Context], str]] = {
    "missing": "is missing",
    "extra_forbidden": "is not known here; look for a slip in its name",
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "int_parsing_size": "is too large a number",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "uuid_type": _ID,
    "uuid_parsing": _ID,
    "greater_than_equal": lambda c: f"must be at least {_figure(c['ge'])}",
    "less_than_equal": lambda c: f"must be at most {_figure(c['le'])}",
    "greater_than": lambda c: f"must be more than {_figure(c['gt'])}",
    "less_than": lambda c: f"must be less than {_figure(c['lt'])}",
    "string_too_short": _at_least,
    "string_too_long": lambda c: f"must have at most {c['max_length']} characters",
    "too_short": lambda c: f"needs at least {_entries(c['min_length'])}",
    "too_long": lambda c: f"takes at most {_entries(c['max_length'])}",
    "enum": lambda c: f"must be {c['expected']}",
    "literal_error": lambda c: f"must be {c['expected']}",
}


def in_words(item: Mapping[str, Any]) -> tuple[str, bool]:
    """What pydantic found, and whether it goes on after the field's name as one sentence."""
    words = _WORDS.get(item["type"])
    if words is not None:
        return words if isinstance(words, str) else words(item.get("ctx") or {}), True
    return str(item["msg"]).removeprefix("Value error, "), False
