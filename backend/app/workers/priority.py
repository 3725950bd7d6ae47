"""Who waits for whom on a busy processor: jobs for the person at the page, never the other way."""

import os
from contextlib import suppress
from pathlib import Path

JOB_NICENESS = 10
# Where Linux shares time among sessions first, niceness counts only within one's own.
_AUTOGROUP = Path("/proc/self/autogroup")


def make_way() -> None:
    """Take what time the API, the databases and steering leave; all of it while they are idle."""
    os.nice(max(0, JOB_NICENESS - os.nice(0)))
    with suppress(OSError):
        _AUTOGROUP.write_text(str(JOB_NICENESS))
