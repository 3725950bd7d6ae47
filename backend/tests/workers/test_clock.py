"""The clock of the workers jumps two hours: jobs keep their owners, and times their sign."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.core.enums import JobState
from tests.fixtures.rig import Rig
from tests.workers.steps import lines, release, running

pytestmark = [
    pytest.mark.faults,
    pytest.mark.long,
    pytest.mark.skipif(
        sys.platform != "linux", reason="The clock is bent by libfaketime on Linux."
    ),
]
S = JobState
PACKAGE = find_spec("libfaketime")  # its Python side is not needed
LIBRARY = "vendor/libfaketime/src/libfaketime.so.1"


@pytest.mark.fault(19)
@pytest.mark.parametrize("jump", ["+2h", "-2h"])
def test_a_jump_takes_no_job_away(rig: Rig, files: dict[str, str], jump: str) -> None:
    """Workers and sweeper live two hours apart from the database and from one another."""
    assert PACKAGE is not None
    assert PACKAGE.origin is not None
    library = Path(PACKAGE.origin).parent / LIBRARY
    rig.kill("worker")
    bent = {"LD_PRELOAD": str(library), "FAKETIME": jump, "DONT_FAKE_MONOTONIC": "1"}
    rig.start("worker", **bent)
    rig.kill("sweeper")
    rig.start("sweeper", **bent)
    job_id = rig.create(**files)
    running(rig, files, job_id)
    probe = rig.create()  # a whole round of everything else
    rig.wait_state(probe, S.SUCCEEDED)
    assert lines(files) == ["1"]
    release(files)
    job = rig.wait_state(job_id, S.SUCCEEDED)
    assert job.attempt == 1
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at <= job.started_at <= job.finished_at
    for name in ("worker", "sweeper"):
        rig.kill(name)
