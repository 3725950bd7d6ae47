"""The name of a repository on the Hugging Face hub."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_PATTERN = r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$"
_SUBFOLDER = r"^\w[\w./ -]*$"


def _check(repo_id: str) -> str:
    if not re.fullmatch(_PATTERN, repo_id):
        raise ValueError(
            "write the repository as the hub shows it above its files, owner/name, "
            "for example EleutherAI/pythia-70m."
        )
    return repo_id


def _check_subfolder(folder: str) -> str:
    if not re.fullmatch(_SUBFOLDER, folder):
        raise ValueError(
            "write the folder as the repository shows it, for example blocks.8.hook_resid_pre; "
            "it begins with a letter or a digit."
        )
    return folder


RepoId = Annotated[
    str,
    Field(max_length=255, json_schema_extra={"pattern": _PATTERN}),
    AfterValidator(_check),
]
Subfolder = Annotated[
    str,
    Field(max_length=500, json_schema_extra={"pattern": _SUBFOLDER}),
    AfterValidator(_check_subfolder),
]
