"""One device: a second job that needs it waits in the queue and says for what."""

from pathlib import Path

import pytest

from app.core.enums import JobAction, JobKind, JobState
from tests.fixtures.rig import Rig, wait_for
from tests.workers.steps import release, running

pytestmark = pytest.mark.faults
S = JobState


def test_jobs_take_the_device_in_turn(rig: Rig, files: dict[str, str], tmp_path: Path) -> None:
    first = rig.create(JobKind.TRAINING_RUN, **files)
    running(rig, files, first)
    others = {"release": str(tmp_path / "release2"), "trace": str(tmp_path / "trace2")}
    second = rig.create(JobKind.ACTIVATION_EXTRACT, **others)
    third = rig.create(JobKind.TRAINING_RUN)
    waiting = wait_for(lambda: (j := rig.job(second)).message and j, "a message")
    assert waiting.state is S.QUEUED
    assert waiting.message == (
        "Waiting for the processor: a training is running. Position 1 in the queue."
    )
    # Looked up before the second was claimed, it is the first of those that wait for a moment.
    wait_for(
        lambda: (rig.job(third).message or "").endswith("Position 2 in the queue."), "its position"
    )
    assert rig.request(third, JobAction.CANCEL) is S.CANCELLED
    release(files)
    rig.wait_state(first, S.SUCCEEDED)
    running(rig, others, second)
    release(others)
    job = rig.wait_state(second, S.SUCCEEDED)
    assert (job.attempt, job.message) == (1, "Done")
    assert rig.job(third).state is S.CANCELLED


def test_a_killed_holder_frees_the_device(rig: Rig, files: dict[str, str]) -> None:
    first = rig.create(JobKind.TRAINING_RUN, **files)
    running(rig, files, first)
    second = rig.create(JobKind.ACTIVATION_EXTRACT)
    wait_for(lambda: rig.job(second).message, "a message")
    rig.kill("worker")
    rig.start("worker")
    rig.request(first, JobAction.CANCEL)
    rig.wait_state(second, S.SUCCEEDED)
