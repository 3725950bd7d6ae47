"""Paths of this machine that a person names for an import."""

from pathlib import Path

from app.core.config import Settings
from app.core.errors import ValidationFailed
from app.services.corpora.errors import PathNotReadable


def resolve(settings: Settings, given: str) -> Path:
    """Resolve a given path, links included.

    Raises:
        ValidationFailed: It is relative or not below an allowed folder.
        PathNotReadable: It cannot be resolved.
    """
    text = given.strip()
    path = Path(text).expanduser()
    if "\0" in text or not path.is_absolute():
        raise ValidationFailed(
            f"{text!r} is not a full path. Give it from the root, e.g. /home/me/corpus.jsonl.",
            details={"field": "path", "value": given.replace("\0", "")},
        )
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError) as error:
        raise PathNotReadable(f"{path} cannot be read.", details={"path": text}) from error
    _refuse_private(settings, resolved)
    return resolved


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
