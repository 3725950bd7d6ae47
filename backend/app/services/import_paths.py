"""Paths of this machine that a person names for an import."""

from collections.abc import Iterable
from pathlib import Path

from app.core.config import Settings
from app.core.errors import ValidationFailed
from app.services.corpora.errors import PathNotReadable

MOST_SHOWN = 200


def resolve(settings: Settings, given: str) -> Path:
    """Resolve a given path, links included.

    Raises:
        ValidationFailed: It is relative or not below an allowed folder.
        PathNotReadable: It cannot be resolved.
    """
    text = given.strip()
    path = _without_tilde(text)
    if "\0" in text or not path.is_absolute():
        raise ValidationFailed(
            f"{text!r} is not a full path. Give it from the root, e.g. /home/me/corpus.jsonl.",
            details={"field": "path", "value": given.replace("\0", "")},
        )
    try:
        resolved = path.resolve()
        resolved.exists()  # a name that is too long, a folder that may not be entered
    except (OSError, RuntimeError) as error:
        reason = f": {error.strerror}" if isinstance(error, OSError) else ""
        raise PathNotReadable(
            f"{text[:MOST_SHOWN]} cannot be read{reason}. Give the full path of something that "
            "the user who runs MechInterp Studio can read.",
            details={"path": text[:MOST_SHOWN]},
        ) from error
    _refuse_private(settings, resolved)
    return resolved


def check_links(settings: Settings, files: Iterable[Path]) -> None:
    """Refuse files of a folder that are links to where no import may read.

    Raises:
        ValidationFailed: As for a path that a person names.
    """
    for file in files:
        if file.is_symlink():
            _refuse_private(settings, file.resolve())


def _without_tilde(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        user = text.partition("/")[0][1:MOST_SHOWN]
        raise ValidationFailed(
            f"This machine has no user {user!r} with a home. Give the full path from the root, "
            "e.g. /home/me/corpus.jsonl.",
            details={"field": "path", "value": text[:MOST_SHOWN]},
        ) from error


def _refuse_private(settings: Settings, path: Path) -> None:
    """The product's own files are no source, and a list of allowed folders is obeyed."""
    home = settings.home.resolve()
    if path.is_relative_to(home) or home.is_relative_to(path):
        raise ValidationFailed(
            f"{path} holds MechInterp Studio's own files. Choose another file or folder.",
            details={"field": "path", "value": str(path)},
        )
    roots = [root.expanduser().resolve() for root in settings.allowed_import_roots]
    if roots and not any(path.is_relative_to(root) for root in roots):
        raise ValidationFailed(
            f"{path} is outside the folders that imports are allowed from "
            f"({', '.join(map(str, roots))}).",
            details={"field": "path", "value": str(path), "allowed": [str(r) for r in roots]},
        )
