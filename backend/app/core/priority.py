"""Who waits for whom on a busy processor: jobs for the person at the page, never the other way."""

import os
from contextlib import suppress
from pathlib import Path

NICENESS = 10


def make_way(pid: int | None = None) -> None:
    """Let a process take what time others leave; all of it while they are idle.

    Args:
        pid: A process of our own; this one by default. What the kernel does not allow is left.
    """
    process = os.getpid() if pid is None else pid
    with suppress(OSError):
        now = os.getpriority(os.PRIO_PROCESS, process)
        os.setpriority(os.PRIO_PROCESS, process, max(NICENESS, now))
        # Each session has a group, among which Linux may share time first.
        Path(f"/proc/{process}/autogroup").write_text(str(NICENESS))
