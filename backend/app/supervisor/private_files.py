"""Files of the home that nobody else may read."""

import os
from pathlib import Path


def make_private_folder(folder: Path) -> Path:
    """Create the folder (mode 0700) with its parents; an existing one keeps its mode."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step, readable by its owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def read_tail(path: Path, *, start: int = 0, limit_bytes: int = 2000) -> str:
    """The end of a text file, from byte ``start`` on; empty when there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(start, end - limit_bytes))
        return file.read().decode("utf-8", "replace").strip()


def own_tree(folder: Path, uid: int) -> None:
    """Give a folder and all below it to ``uid`` (only root can, and only root needs to)."""
    if os.geteuid() != 0 or folder.stat().st_uid == uid:
        return
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(root) / name, uid, -1, follow_symlinks=False)
    os.chown(folder, uid, -1)  # last: a walk cut short is then repeated at the next start
