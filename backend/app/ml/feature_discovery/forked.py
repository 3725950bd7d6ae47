"""Work on ranges of features in copies of this process, in order and with bounded memory."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, TypeVar

import torch

MIN_RANGES_PER_PROCESS = 8
"""A copy is made in milliseconds, but it copies every page that it or this process touches."""
MOST_PROCESSES = 16
AHEAD = 2
"""Ranges computed for each process before the first of them is taken."""
_PR_SET_PDEATHSIG = 1
T = TypeVar("T")
_inherited: list[Callable[[int, int], object]] = []


def map_ranges(
    work: Callable[[int, int], T], n: int, step: int, processes: int | None = None
) -> Iterator[T]:
    """Yield ``work(first, last)`` for consecutive ranges of at most ``step`` up to ``n``.

    With several processes the ranges are worked on in copies of this one, made at the first: what
    ``work`` reads need not be sent, what it returns is pickled, and what it changes is lost. It
    must not use a GPU, which a copied process has not; torch works in it with one thread.

    Args:
        work: Looks at numbers from ``first`` to before ``last``.
        n: Where the last range ends.
        step: Length of a range.
        processes: By default as many as torch has threads here, and none for a few ranges: then
            this process works itself.
    """
    ranges = [(first, min(first + step, n)) for first in range(0, n, step)]
    if processes is None:
        processes = min(torch.get_num_threads(), MOST_PROCESSES)
        processes = min(processes, len(ranges) // MIN_RANGES_PER_PROCESS)
    if processes < 2 or sys.platform != "linux":
        for first, last in ranges:
            yield work(first, last)
        return
    pool = ProcessPoolExecutor(
        processes, multiprocessing.get_context("fork"), _inherit, (work, os.getpid())
    )
    gc.freeze()  # a copy must not collect what it shares, tensors of a GPU least of all
    try:
        waiting: deque[Future[Any]] = deque()
        for first, last in ranges:
            waiting.append(pool.submit(_work, first, last))
            if len(waiting) > AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        gc.unfreeze()
        pool.shutdown(cancel_futures=True)


def _inherit(work: Callable[[int, int], object], parent: int) -> None:
    """Begin a copy: it dies with its parent, and leaves a request to stop to it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)  # those of the parent are not here: whoever waited for them would hang
    _inherited[:] = [work]


def _work(first: int, last: int) -> Any:
    return _inherited[0](first, last)
