"""Whoever waits at the page goes first: jobs pause between steps while steering answers.

Niceness shares the processor's time within one machine's scheduler. It says nothing about a GPU,
about the bandwidth of the memory, or about another container; this does.
"""

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)

SIGN = "answering.lock"
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 1.0
"""The longest pause between two steps, so that a job goes on however much is asked of steering."""


@contextmanager
def going_first(run_dir: Path) -> Iterator[None]:
    """Let jobs wait during the block. The kernel takes the sign down when its process dies."""
    descriptor = _open(run_dir)
    if descriptor is None:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


class GivingWay:
    """A job's look at whether somebody is answered; two system calls when nobody is.

    Args:
        run_dir: Folder of the sign, shared by all processes of an installation.
        wait: Sleeps for so many seconds, or returns true at once when the job is to end.
    """

    def __init__(self, run_dir: Path, wait: Callable[[float], bool]) -> None:
        self._descriptor = _open(run_dir)
        self._wait = wait

    def pause(self) -> None:
        """Wait until nobody is answered, at most ``PATIENCE_SECONDS``."""
        for _ in range(round(PATIENCE_SECONDS / LOOK_SECONDS)):
            if self._is_clear() or self._wait(LOOK_SECONDS):
                return

    def _is_clear(self) -> bool:
        if self._descriptor is None:
            return True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        return True


def _open(run_dir: Path) -> int | None:
    """The sign's file; None where it cannot be made, for a courtesy must not fail a job."""
    try:
        run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(run_dir / SIGN, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        logger.warning("jobs do not give way: %s", error)
        return None
