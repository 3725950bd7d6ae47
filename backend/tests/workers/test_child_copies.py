"""A job that listens for requests can make copies of itself."""

import subprocess
import sys
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[2]
LISTENS_AND_COPIES = """
from app.ml.feature_discovery.forked import map_ranges
from app.workers.child import HandedToken, StopSignal, listen_for_requests

stop = StopSignal()
listen_for_requests(stop, HandedToken())
assert stop.wait(60)  # the first request was read, and the next one is waited for
print(sum(map_ranges(lambda first, last: last - first, 20, 1, processes=2)))
"""


def test_copies_are_made_while_requests_are_waited_for() -> None:
    """multiprocessing closes stdin in a copy: it waited for the lock of the thread that reads."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTENS_AND_COPIES],
        cwd=BACKEND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("pause\n")
        process.stdin.flush()  # and stays open, as the worker's does
        try:
            assert process.wait(120) == 0
            assert process.stdout.read() == "20\n"
        finally:
            process.kill()
