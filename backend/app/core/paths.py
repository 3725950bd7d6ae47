"""Where files lie below the data root, and the one way to resolve a stored path.

Rows hold paths relative to the data root, with forward slashes, so that a database can move to
another machine together with its files.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path, PurePosixPath
from uuid import UUID

from app.core.errors import ValidationFailed

DATA_FOLDERS = ("models", "datasets", "activations", "checkpoints", "exports", "cache")


class UnsafePath(ValidationFailed):
    """A stored or given path would leave the folder that it belongs to."""


def model_dir(model_id: UUID) -> PurePosixPath:
    return PurePosixPath("models", str(model_id))


def dataset_dir(dataset_id: UUID) -> PurePosixPath:
    return PurePosixPath("datasets", str(dataset_id))


def dataset_documents(dataset_id: UUID) -> PurePosixPath:
    return dataset_dir(dataset_id) / "raw" / "documents.jsonl"


def tokenization_dir(dataset_id: UUID, tokenization_id: UUID) -> PurePosixPath:
    return dataset_dir(dataset_id) / "tokenized" / str(tokenization_id)


def activation_dir(activation_id: UUID) -> PurePosixPath:
    return PurePosixPath("activations", str(activation_id))


def hook_point_dir(activation_id: UUID, layer: int, hook_type: str) -> PurePosixPath:
    return activation_dir(activation_id) / f"L{layer}_{hook_type}"


def training_dir(training_id: UUID) -> PurePosixPath:
    return PurePosixPath("checkpoints", str(training_id))


def checkpoint_dir(training_id: UUID, step: int) -> PurePosixPath:
    return training_dir(training_id) / f"step_{step}"


def export_dir(job_id: UUID) -> PurePosixPath:
    return PurePosixPath("exports", str(job_id))


def export_scratch_dir(job_id: UUID) -> PurePosixPath:
    """Parts of an export that is being written; an attempt finds those of the one before."""
    return PurePosixPath("cache", f"export-{job_id}")


def safe_join(root: Path, relative: str | PurePosixPath) -> Path:
    """Resolve a stored relative path below ``root``.

    Raises:
        UnsafePath: The path is absolute, holds ``..`` or NUL, or leaves ``root`` through a link.
    """
    text = str(relative)
    pure = PurePosixPath(text)
    if not text or "\0" in text or "\\" in text or pure.is_absolute() or ".." in pure.parts:
        raise UnsafePath("The path leaves its folder.", details={"path": text.replace("\0", "")})
    base = root.resolve()
    resolved = (base / pure).resolve()
    if not resolved.is_relative_to(base):
        raise UnsafePath("The path leaves its folder.", details={"path": text})
    return resolved


def relative_to_root(root: Path, path: Path) -> str:
    """The form in which a path is stored: relative to the data root, forward slashes."""
    return path.resolve().relative_to(root.resolve()).as_posix()


def ensure_private_dir(path: Path) -> Path:
    """Create a folder that only its owner can enter; an existing one is left as it is."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def ensure_home(home: Path) -> None:
    """Create the folders of the home with owner-only rights.

    Earlier versions left them open: ours are closed too. The home itself, which may have been
    somebody's before, and what is linked in from elsewhere stay as they are.
    """
    ensure_private_dir(home)
    folders = [home / "logs", home / "logs" / "jobs", home / "run", home / "data"]
    for folder in (*folders, *(home / "data" / name for name in DATA_FOLDERS)):
        _close(ensure_private_dir(folder))


def _close(folder: Path) -> None:
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_mode & 0o077:
        with suppress(PermissionError):  # another user's, as in a container that shares it
            folder.chmod(0o700)


def fsync_dir(path: Path) -> None:
    """Make a rename inside ``path`` survive power loss."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
