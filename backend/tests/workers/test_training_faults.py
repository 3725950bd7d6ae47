"""Everything that a training needs is killed while it runs: it completes, with the same numbers.

One training meets all of it, one after the other, because each start of a job costs seconds.
"""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.order import assert_in_order
from tests.fixtures.pulse import pulse_of
from tests.fixtures.rig import wait_for
from tests.fixtures.stack import SETTINGS, STEPS, Prepared, Refused, Stack

pytestmark = [pytest.mark.slow, pytest.mark.faults]
# The worker comes last: its death is a new attempt.
VICTIMS = ("postgres", "valkey", "worker-training")


def series_of(stack: Stack, training_id: str) -> list[tuple[int, float]]:
    """The loss at every tenth step; a pause adds the step that it happened at."""
    points = stack.get(f"/trainings/{training_id}/metrics")
    return [(point["step"], point["loss"]) for point in points if point["step"] % 10 == 0]


def flip_a_bit(folder: Path) -> None:
    file = folder / "sae.safetensors"
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)


def damage_latest_checkpoint(stack: Stack, path: str) -> int:
    """Flip one bit of it; its step. The oldest goes, as by a kill before its row was deleted."""
    steps = [int(checkpoint["step"]) for checkpoint in stack.get(f"{path}/checkpoints")]
    folder = stack.settings.data_root / "checkpoints" / path.rpartition("/")[2]
    flip_a_bit(folder / f"step_{steps[0]}")
    assert len(steps) > 2
    shutil.rmtree(folder / f"step_{steps[-1]}")
    return steps[0]


@pytest.mark.fault(2)
@pytest.mark.fault(5)
@pytest.mark.fault(10)
@pytest.mark.fault(18)
def test_a_training_outlives_whatever_it_needs(
    stack: Stack, prepared: Prepared, reference: str
) -> None:
    # All are kept: how many the killed worker's process still wrote must not matter below.
    body = prepared.training(**SETTINGS, keep_checkpoints=STEPS)
    with pulse_of(str(stack.client.base_url).rstrip("/")) as pulse:
        with stack.held_down():
            created = stack.post("/trainings", body)
            path = f"/trainings/{created['training_id']}"
            for victim in VICTIMS:
                save_now(stack, path)
                os.kill(stack.pid_of(victim), signal.SIGKILL)
            # A pause that comes before anybody saw the death would be followed without a new
            # attempt.
            stack.wait_until(f"/jobs/{created['job_id']}", runs_again)
            stack.post(f"{path}/pause")
            stack.wait_until(path, lambda t: t["status"] == "paused")
        damaged = damage_latest_checkpoint(stack, path)
        stack.post(f"{path}/resume")
        training: dict[str, Any] = stack.wait_until(path, has_ended)
    assert (training["status"], training["error_message"]) == ("completed", None)
    assert training["current_step"] == STEPS
    assert training["evaluation"]["figures"]
    job = stack.get(f"/jobs/{created['job_id']}")
    assert (job["state"], job["attempt"] >= 3) == ("succeeded", True)
    assert job["result"]["damaged_checkpoints"] == [damaged], "the user is told"
    series = series_of(stack, created["training_id"])
    assert series == series_of(stack, reference)
    assert len(series) == STEPS // 10
    assert pulse.broken() == []
    assert_in_order(stack)


@pytest.mark.fault(2)
def test_a_grid_outlives_its_worker_and_equals_trainings_of_their_own(
    stack: Stack, prepared: Prepared, reference: str
) -> None:
    """One pass for two dictionaries, killed in the middle; the first is the reference again."""
    body = prepared.training(**SETTINGS) | {
        "variants": [{"name": "same"}, {"name": "more", "hyperparameters": {"k": 16}}]
    }
    with stack.held_down():
        grid = stack.post("/trainings/grid", body)
        same, more = (f"/trainings/{one['training_id']}" for one in grid["trainings"])
        save_now(stack, same)
        save_now(stack, more)
        os.kill(stack.pid_of("worker-training"), signal.SIGKILL)
        stack.wait_until(f"/jobs/{grid['job_id']}", runs_again)
    for path in (same, more):
        training = stack.wait_until(path, has_ended)
        assert (training["status"], training["current_step"]) == ("completed", STEPS)
        assert training["evaluation"]["figures"]
        assert stack.get(f"{path}/checkpoints")[0]["step"] == STEPS
    job = stack.get(f"/jobs/{grid['job_id']}")
    assert (job["state"], job["attempt"] >= 2) == ("succeeded", True)
    assert [one["step"] for one in job["result"]["trainings"]] == [STEPS, STEPS]
    series = [series_of(stack, path.rpartition("/")[2]) for path in (same, more)]
    assert series[0] == series_of(stack, reference)
    assert len(series[1]) == STEPS // 10
    assert_in_order(stack)


def save_now(stack: Stack, path: str) -> None:
    """Have the training write another checkpoint: it is at work, and can be gone on with."""
    before = len(stack.wait_until(f"{path}/checkpoints", lambda _: True))

    def is_asked() -> bool:
        try:
            stack.post(f"{path}/checkpoints")
        except (Refused, httpx.TransportError):  # what the API needs may be on its way back
            return False
        return True

    wait_for(is_asked, "a checkpoint that is asked for")
    stack.wait_until(f"{path}/checkpoints", lambda found: len(found) > before)


def runs_again(job: dict[str, Any]) -> bool:
    return bool(job["attempt"] >= 2 and job["state"] == "running")


def has_ended(training: dict[str, Any]) -> bool:
    return training["status"] in {"completed", "error", "stopped"}
