"""Jobs pause between steps while somebody is answered, and never for ever."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from app.core.config import Settings
from app.core.enums import JobAction, JobKind
from app.db.models import Job
from app.workers.child import make_context
from app.workers.context import StopSignal
from app.workers.giving_way import LOOK_SECONDS, PATIENCE_SECONDS, GivingWay, going_first
from app.workers.progress import ProgressReporter
from app.workers.queues import GOING_FIRST
from app.workers.tasks import WARM_TASKS

HOLDER = """
import sys
from pathlib import Path
from app.workers.giving_way import going_first
with going_first(Path(sys.argv[1])):
    print("up", flush=True)
    sys.stdin.read()
"""


class Waits:
    """Counts the looks of a job; ``then`` happens at the third."""

    def __init__(self) -> None:
        self.n = 0
        self.then: Callable[[], bool] = lambda: False

    def __call__(self, seconds: float) -> bool:
        assert seconds == LOOK_SECONDS
        self.n += 1
        return self.n == 3 and self.then()


def test_nobody_waits_for_nobody(tmp_path: Path) -> None:
    waits = Waits()
    GivingWay(tmp_path / "run", waits).pause()
    assert waits.n == 0


def test_a_job_waits_while_somebody_is_answered_and_not_for_ever(tmp_path: Path) -> None:
    waits = Waits()
    job = GivingWay(tmp_path, waits)
    with going_first(tmp_path), going_first(tmp_path):
        job.pause()
        assert waits.n * LOOK_SECONDS == pytest.approx(PATIENCE_SECONDS)
    job.pause()
    assert waits.n * LOOK_SECONDS == pytest.approx(PATIENCE_SECONDS)


def test_a_job_that_is_to_end_does_not_wait(tmp_path: Path) -> None:
    waits = Waits()
    waits.then = lambda: True
    with going_first(tmp_path):
        GivingWay(tmp_path, waits).pause()
    assert waits.n == 3


def test_the_sign_of_a_killed_process_is_down(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        waits = Waits()

        def kill() -> bool:
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait(30)
            return False

        waits.then = kill
        GivingWay(tmp_path, waits).pause()
    assert waits.n == 3


def test_a_sign_that_cannot_be_made_fails_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    waits = Waits()
    with going_first(tmp_path / "file"):
        GivingWay(tmp_path / "file", waits).pause()
    assert waits.n == 0


def test_long_work_never_holds_others_up() -> None:
    """A sweep takes minutes, so it has a child of its own and gives way like any other job."""
    long = {JobKind.STEERING_SWEEP, JobKind.FEATURE_SCORE, JobKind.FEATURE_ABLATE}
    assert not GOING_FIRST & long
    assert set(WARM_TASKS) >= GOING_FIRST
    assert not set(WARM_TASKS) & {JobKind.STEERING_SWEEP, JobKind.FEATURE_SCORE}


@pytest.mark.parametrize(
    ("kind", "gives_way"),
    [
        (JobKind.TRAINING_RUN, True),
        (JobKind.STEERING_SWEEP, True),
        (JobKind.STEERING_GENERATE, False),
        (JobKind.FEATURE_PROBE, False),
    ],
)
def test_who_is_answered_waits_for_nobody(tmp_path: Path, kind: JobKind, gives_way: bool) -> None:
    job = Job(id=uuid4(), kind=kind, attempt=1, payload={})
    settings = Settings(home=tmp_path)
    reporter = ProgressReporter(job.id, 1, on_stale=lambda: None)
    stop = StopSignal()
    context = make_context(settings, job, reporter, stop)
    assert (context.giving_way is not None) is gives_way
    with going_first(settings.run_dir):
        began = time.monotonic()
        assert context.stop_requested() is None
        assert not gives_way or time.monotonic() - began >= PATIENCE_SECONDS
        stop.set(JobAction.PAUSE)
        assert context.stop_requested() is JobAction.PAUSE
