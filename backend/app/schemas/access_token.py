"""A token for the Hugging Face hub, given for one download."""

from typing import Annotated

from pydantic import AfterValidator, Field

# A request's header holds nothing else, and the errors of HTTP clients repeat what they refuse.
_PATTERN = r"^[!-~]*$"
TOKEN_HELP = "Used for this download only; never stored or logged"


def _check(token: str) -> str:
    if not all("!" <= character <= "~" for character in token):
        raise ValueError("holds a blank or a character that no token has; copy it again.")
    return token


AccessToken = Annotated[
    str,
    Field(max_length=255, json_schema_extra={"pattern": _PATTERN}),
    AfterValidator(_check),
]
