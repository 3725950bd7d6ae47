"""Keeping the log files of the home at a bearable size."""

import shutil
from pathlib import Path

LARGEST_LOG_BYTES = 20 * 1024**2


def rotate_logs(folder: Path, largest_bytes: int = LARGEST_LOG_BYTES) -> None:
    """Copy a large log to ``name.log.1`` and empty it.

    Copy and truncate rather than rename: the processes hold the file open for appending and
    would go on writing into a renamed one.
    """
    for log in folder.glob("*.log"):
        if log.stat().st_size > largest_bytes:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            with log.open("r+b") as file:
                file.truncate(0)
