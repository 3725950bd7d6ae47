"""A setting that cannot be read is told as that, before any command begins."""

import typer
from pydantic import ValidationError

from app.cli.console import errors
from app.core.config import Settings

# What pydantic says, in the words of somebody who set a variable.
_WORDS = {
    "Input should be": "must be",
    "Value should have": "must have",
    "items after validation": "characters",
}


def check_settings() -> None:
    """Read all settings once; ``typer`` calls it before the command."""
    try:
        Settings()
    except ValidationError as error:
        # Never the value: it may be a token or an address with a password.
        for found in error.errors(include_url=False, include_input=False):
            name, words = str(found["loc"][0]), found["msg"]
            for machine, plain in _WORDS.items():
                words = words.replace(machine, plain)
            variable = name if name.isupper() else f"MISTUDIO_{name.upper()}"
            errors.print(f"{variable} {words}.", style="red", markup=False)
        errors.print("Set it otherwise or unset it; docs/operations/index.md lists all settings.")
        raise typer.Exit(2) from None
