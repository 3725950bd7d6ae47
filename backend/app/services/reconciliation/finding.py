"""One difference between rows and files, and what mends it."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from app.core.paths import ensure_private_dir, fsync_dir

QUARANTINE = "lost+found"


@dataclass(frozen=True)
class Finding:
    """A difference.

    Attributes:
        what: The row or the file, in words.
        problem: What is wrong with it.
        remedy: What a repair does.
        mend: Does it; safe to call when somebody else has done so meanwhile.
    """

    what: str
    problem: str
    remedy: str
    mend: Callable[[Session], None]


def quarantine(data_root: Path, path: Path) -> None:
    """Move a file or folder out of the way, under a name that says where it came from."""
    if not path.exists():
        return
    lost = ensure_private_dir(data_root / QUARANTINE)
    name = "--".join(path.relative_to(data_root).parts)
    target = lost / name
    number = 1
    while target.exists():
        number += 1
        target = lost / f"{name}.{number}"
    os.replace(path, target)  # noqa: PTH105
    fsync_dir(path.parent)


def remove(path: Path) -> None:
    """Delete what is known to be a leftover of ours."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
