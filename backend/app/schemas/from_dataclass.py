"""Makes request models of the ML core's configuration dataclasses.

A hyperparameter is defined once, in ``app.ml.configs``, with its bounds and its sentence of help
in the field's metadata; the API's validation, the OpenAPI document and so the page's forms follow.
"""

import typing
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from app.ml.configs import FieldSpec, field_specs
from app.schemas.common import RequestModel


def request_model_from(
    config: type[Any], name: str, *, exclude: frozenset[str] = frozenset()
) -> type[RequestModel]:
    """Build a request model with the fields, defaults, bounds and help of a dataclass.

    Args:
        config: A ``Config`` whose settings carry help, bounds, choices and units.
        name: Name of the model in the OpenAPI document.
        exclude: Fields that the server sets itself.
    """
    fields: dict[str, Any] = {
        spec.name: (_annotation(spec), _field_info(spec))
        for spec in field_specs(config)
        if spec.name not in exclude
    }
    return create_model(name, __base__=RequestModel, **fields)


def _annotation(spec: FieldSpec) -> Any:
    """The type with its choices; the bounds of a sequence hold for its items."""
    if typing.get_origin(spec.type) is tuple:
        item = _with_choices(typing.get_args(spec.type)[0], spec)
        return tuple[Annotated[item, Field(**_bounds(spec))], ...]  # type: ignore[valid-type]
    return _with_choices(spec.type, spec)


def _with_choices(hint: Any, spec: FieldSpec) -> Any:
    return Literal[tuple(spec.choices)] if spec.choices and hint is str else hint


def _bounds(spec: FieldSpec) -> dict[str, Any]:
    bounds = {"ge": spec.ge, "le": spec.le}
    return {key: value for key, value in bounds.items() if value is not None}


def _field_info(spec: FieldSpec) -> Any:
    extra: dict[str, Any] | None = {"x-unit": spec.unit} if spec.unit else None
    bounds = {} if typing.get_origin(spec.type) is tuple else _bounds(spec)
    return Field(
        ... if spec.required else spec.default,
        description=spec.help,
        json_schema_extra=extra,
        **bounds,
    )
