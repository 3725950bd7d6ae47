"""How a process that works for another one dies with it, whoever its parent is."""

import ctypes
import fcntl
import os
import select
import signal
import sys

EXIT_ORPHANED = 3
_PR_SET_PDEATHSIG = 1
_F_SETSIG = 10  # not in Python's fcntl


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel for SIGKILL when the parent dies, and leave if it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(EXIT_ORPHANED)


def die_with_writer(read_end: int) -> None:
    """Ask the kernel for SIGKILL when the last write end of a pipe is closed, by a death too.

    For processes whose parent is not the one that they work for. Nothing may be written.
    """
    fcntl.fcntl(read_end, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(read_end, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(read_end, fcntl.F_SETFL, fcntl.fcntl(read_end, fcntl.F_GETFL) | os.O_ASYNC)
    hung_up = select.poll()
    hung_up.register(read_end, select.POLLIN)
    if hung_up.poll(0):  # it was closed before the kernel was asked
        os._exit(EXIT_ORPHANED)
