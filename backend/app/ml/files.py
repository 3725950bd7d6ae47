"""Files that are whole or absent: write beside the target, flush to disk, rename."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HASH_BLOCK_BYTES = 1 << 22


class NotEnoughSpace(OSError):
    """The disk cannot hold what would be written; ``needed_bytes`` says how much that is."""

    def __init__(self, message: str, needed_bytes: int) -> None:
        super().__init__(errno.ENOSPC, message)
        self.needed_bytes = needed_bytes


def sync_path(path: Path) -> None:
    """Flush a file's or a folder's content from the page cache to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield an empty temporary folder that becomes ``target`` when the block succeeds.

    A folder that stands at ``target`` is replaced only then; on an exception the temporary one
    is removed and the old one stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.name}.tmp-{uuid.uuid4().hex[:8]}"
    temporary.mkdir()
    try:
        yield temporary
        for path in sorted(temporary.rglob("*")):
            sync_path(path)
        sync_path(temporary)
        _swap(temporary, target)
        sync_path(target.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap(temporary: Path, target: Path) -> None:
    if not target.exists():
        temporary.rename(target)
        return
    old = target.parent / f".{target.name}.old-{uuid.uuid4().hex[:8]}"
    target.rename(old)
    temporary.rename(target)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def replacing_file(target: Path) -> Iterator[Path]:
    """Yield a temporary path whose file becomes ``target`` when the block succeeds."""
    temporary = target.parent / f".{target.name}.tmp-{uuid.uuid4().hex[:8]}"
    try:
        yield temporary
        sync_path(temporary)
        temporary.replace(target)
        sync_path(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(target: Path, content: Any) -> None:
    """Replace a JSON file in one step."""
    with replacing_file(target) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def folder_size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def remove_folder(folder: Path) -> None:
    """Delete a folder so that a kill on the way leaves all of it or a leftover, never a half."""
    doomed = folder.parent / f".{folder.name}.tmp-{uuid.uuid4().hex[:8]}"
    try:
        folder.rename(doomed)
    except FileNotFoundError:
        return
    shutil.rmtree(doomed, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files and folders that a killed process left in ``folder``."""
    for path in folder.glob(".*.tmp-*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    for path in folder.glob(".*.old-*"):
        target = path.with_name(path.name[1:].rpartition(".old-")[0])
        if target.exists():
            shutil.rmtree(path, ignore_errors=True)
        else:  # killed between the two renames: what was set aside is all that there is
            path.rename(target)
