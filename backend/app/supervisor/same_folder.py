"""Whether another process means our folder when it names one by our path."""

from pathlib import Path


def sees_same_folder(pid: int, folder: Path) -> bool:
    """False of a process for which another folder lies at this path, as in a container.

    Whoever may not look (a container's root at a server of another user) has it taken for the
    same: only a process that sees the containers on its machine may look into them.
    """
    try:
        return _identity(Path(f"/proc/{pid}/root{folder}")) == _identity(folder)
    except PermissionError:
        return True


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return found.st_dev, found.st_ino
