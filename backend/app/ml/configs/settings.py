"""One definition per setting: the dataclass field, with what a form and a validator must know."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

ConfigT = TypeVar("ConfigT", bound="Config")


@dataclass(frozen=True)
class Problem:
    """One setting that cannot be used, in the words shown beside its form field."""

    field: str
    message: str
    value: Any = None


class ConfigInvalid(ValueError):
    """A configuration that cannot exist; ``problems`` names every field concerned."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in problems))
        self.problems = problems


@dataclass(frozen=True)
class FieldSpec:
    """A setting as forms, schemas and documentation see it."""

    name: str
    type: Any
    default: Any
    required: bool
    help: str
    ge: float | None
    le: float | None
    choices: tuple[Any, ...] | None
    unit: str | None


def setting(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    ge: float | None = None,
    le: float | None = None,
    choices: tuple[Any, ...] | None = None,
    unit: str | None = None,
) -> Any:
    """Declare a dataclass field with its bounds; for sequences they hold for every item."""
    metadata = {"help": help, "ge": ge, "le": le, "choices": choices, "unit": unit}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Config:
    """Base of the frozen configurations: an instance that exists is valid.

    Raises:
        ConfigInvalid: a value is out of its bounds or the combination does not exist.
    """

    def __post_init__(self) -> None:
        for spec in field_specs(type(self)):
            value = getattr(self, spec.name)
            if isinstance(value, list):
                object.__setattr__(self, spec.name, tuple(value))
        problems = [p for spec in field_specs(type(self)) for p in _check(spec, self)]
        problems += self.combination_problems() if not problems else []
        if problems:
            raise ConfigInvalid(problems)

    def combination_problems(self) -> list[Problem]:
        """Return what is wrong with the fields taken together; bounds already hold."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; ``from_dict`` turns them back into an equal configuration."""
        raw = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in raw.items()}

    @classmethod
    def from_dict(cls: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
        """Build from JSON types; unknown names are refused, missing ones take their default."""
        specs = {spec.name: spec for spec in field_specs(cls)}
        problems = [Problem(n, "is not a setting", v) for n, v in values.items() if n not in specs]
        problems += [
            Problem(n, "is required") for n, s in specs.items() if s.required and n not in values
        ]
        if problems:
            raise ConfigInvalid(problems)
        return cls(**dict(values))


# Reading a class's annotations takes 3 ms, and every configuration is checked by them.
_SPECS: dict[type[Any], tuple[FieldSpec, ...]] = {}


def field_specs(cls: type[Any]) -> tuple[FieldSpec, ...]:
    """Describe every field of a configuration class, in order."""
    if cls in _SPECS:
        return _SPECS[cls]
    hints = typing.get_type_hints(cls)
    specs = []
    for item in dataclasses.fields(cls):
        required = item.default is dataclasses.MISSING
        specs.append(
            FieldSpec(
                name=item.name,
                type=hints[item.name],
                default=None if required else item.default,
                required=required,
                **{k: item.metadata.get(k) for k in ("ge", "le", "choices", "unit")},
                help=str(item.metadata.get("help", "")),
            )
        )
    return _SPECS.setdefault(cls, tuple(specs))


def _check(spec: FieldSpec, config: Config) -> list[Problem]:
    value = getattr(config, spec.name)
    if value is None:
        nullable = type(None) in typing.get_args(spec.type)
        return [] if nullable else [Problem(spec.name, "is required", value)]
    items = value if isinstance(value, tuple) else (value,)
    return [p for item in items if (p := _check_item(spec, item)) is not None]


def _check_item(spec: FieldSpec, value: Any) -> Problem | None:
    kind = _scalar_type(spec.type)
    if not _has_type(value, kind):
        return Problem(spec.name, f"must be of type {kind.__name__}", value)
    if spec.choices is not None and value not in spec.choices:
        names = ", ".join(str(c) for c in spec.choices)
        return Problem(spec.name, f"must be one of {names}", value)
    if isinstance(value, float) and not math.isfinite(value):
        return Problem(spec.name, "must be a finite number", value)
    if spec.ge is not None and value < spec.ge:
        return Problem(spec.name, f"must be at least {spec.ge:g}", value)
    if spec.le is not None and value > spec.le:
        return Problem(spec.name, f"must be at most {spec.le:g}", value)
    return None


def _has_type(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _scalar_type(hint: Any) -> type:
    """Return the item type of ``int | None``, ``tuple[int, ...]`` and the like."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return _scalar_type(next(a for a in typing.get_args(hint) if a is not type(None)))
    if typing.get_origin(hint) is tuple:
        return _scalar_type(typing.get_args(hint)[0])
    return typing.cast(type, hint)
