"""How the processes of a worker's pool learn that the worker was told to go.

A pipe made before the fork: the worker closes its end, every pool process sees the end of file.
It also works from inside a signal handler and when the worker is killed.
"""

import os
import select
import signal
from types import FrameType

_read_end: int | None = None
_write_end: int | None = None
_signalled = False
_worker_pid = 0


def prepare() -> None:
    """In the worker, before its pool is forked."""
    global _read_end, _write_end, _worker_pid
    _worker_pid = os.getpid()
    if _read_end is None:
        _read_end, _write_end = os.pipe()


def worker_pid() -> int:
    """Process id of the worker that this pool process belongs to."""
    return _worker_pid


def announce() -> None:
    """In the worker: tell the pool that it is to end its jobs."""
    global _write_end
    if _write_end is not None:
        os.close(_write_end)
        _write_end = None


def enter_pool_process() -> None:
    """In a pool process: drop the inherited end, and take SIGTERM for the same message."""
    announce()
    signal.signal(signal.SIGTERM, _on_sigterm)


def requested() -> bool:
    """Whether this process is to end what it does."""
    if _signalled:
        return True
    if _read_end is None:
        return False
    readable, _, _ = select.select([_read_end], [], [], 0)
    return bool(readable)


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    global _signalled
    _signalled = True
