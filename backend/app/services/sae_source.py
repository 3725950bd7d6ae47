"""Telling at request time whether a path can be a dictionary."""

from collections.abc import Collection
from pathlib import Path

from app.core.enums import ErrorCode
from app.core.errors import AppError
from app.services.corpora.errors import PathNotReadable

FORMS: tuple[frozenset[str], ...] = (
    frozenset({"cfg.json", "sae_weights.safetensors"}),
    frozenset({"cfg.json", "sae.safetensors"}),
    frozenset({"config.json", "ae.pt"}),
    frozenset({"params.npz"}),
)
"""SAELens, sparsify, dictionary_learning, Gemma Scope; the files that each needs."""
OPTIONAL_FILES = frozenset({"sparsity.safetensors", "activation_scaler.json"})
KNOWN = (
    "a folder with cfg.json and sae_weights.safetensors (SAELens) or sae.safetensors (sparsify), "
    "with config.json and ae.pt (dictionary_learning), or Gemma Scope's params.npz"
)
LISTED = 5


class SaeFormatInvalid(AppError):
    code = ErrorCode.SAE_FORMAT_INVALID
    status = 400


def is_complete(names: Collection[str]) -> bool:
    """Whether files of these names make a dictionary."""
    return any(form <= set(names) for form in FORMS)


def check_sae_source(path: Path) -> None:
    """Accept a folder of a known form, or an npz file.

    Raises:
        PathNotReadable: Missing or not readable.
        SaeFormatInvalid: What is missing in it, and what to do.
    """
    details = {"field": "path", "value": str(path)}
    try:
        if path.is_dir():
            _check_folder(path, details)
        elif not path.is_file():
            raise PathNotReadable(
                f"{path} does not exist on this machine. Give the full path of {KNOWN}.",
                details=details,
            )
        elif path.suffix != ".npz":
            raise SaeFormatInvalid(
                f"{path.name} is no dictionary by itself. Give {KNOWN}.", details=details
            )
    except PermissionError as error:
        raise PathNotReadable(
            f"{path} may not be read by the user that runs MechInterp Studio.", details=details
        ) from error


def _check_folder(path: Path, details: dict[str, str]) -> None:
    if is_complete([file.name for file in path.iterdir()]):
        return
    inner = [
        folder.name
        for folder in sorted(path.iterdir())
        if folder.is_dir() and is_complete([file.name for file in folder.iterdir()])
    ]
    hint = f"Give {KNOWN}."
    if inner:
        more = f" and {len(inner) - LISTED} more" if len(inner) > LISTED else ""
        hint = f"It holds several: give one of its folders ({', '.join(inner[:LISTED])}{more})."
    raise SaeFormatInvalid(f"{path} is no dictionary. {hint}", details=details)
