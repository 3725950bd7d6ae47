"""From request values to the ML core's configurations, with the API's way of saying no."""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from app.core.errors import ValidationFailed
from app.ml.configs import Config, ConfigInvalid, Problem

ConfigT = TypeVar("ConfigT", bound=Config)


def build_config(config: type[ConfigT], values: Mapping[str, Any], *, prefix: str = "") -> ConfigT:
    """Build a configuration.

    Args:
        config: Which one.
        values: Its settings.
        prefix: Where they stand in the request body, e.g. ``hyperparameters.``.

    Raises:
        ValidationFailed: A value or a combination does not exist; ``details.errors`` names each.
    """
    try:
        return config.from_dict(values)
    except ConfigInvalid as error:
        refuse(error.problems, prefix=prefix)
        raise


def refuse(problems: Iterable[Problem], *, prefix: str = "") -> None:
    """Raise ``ValidationFailed`` when there are problems."""
    errors = [
        {"field": prefix + problem.field, "message": problem.message, "value": problem.value}
        for problem in problems
    ]
    if errors:
        sentences = "; ".join(f"{error['field']} {error['message']}" for error in errors)
        raise ValidationFailed(f"{sentences}.", details={"errors": errors})


def refuse_field(field: str, message: str, value: Any = None) -> NoReturn:
    """Refuse one field of a request."""
    error = {"field": field, "message": message, "value": value}
    raise ValidationFailed(f"{field} {message}.", details={"errors": [error]})
