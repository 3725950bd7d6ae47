"""Files that a job made for itself only."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.enums import JobAction
from app.workers.context import JobInterrupted


@contextmanager
def removed_at_the_end(folder: Path) -> Iterator[None]:
    """Remove a folder when the job ends; a paused job finds it again when it goes on."""
    try:
        yield
    except JobInterrupted as interrupted:
        if interrupted.action is not JobAction.PAUSE:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
