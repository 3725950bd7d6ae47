"""Killing what a training needs, in its middle: it completes, with the same last loss."""

import os
import signal
from typing import Any

import pytest

from tests.fixtures.stack import SETTINGS, STEPS, Prepared, Stack

pytestmark = [pytest.mark.slow, pytest.mark.faults]


def series_of(stack: Stack, training_id: str) -> list[tuple[int, float]]:
    """The loss at every tenth step; a pause adds the step that it happened at."""
    points = stack.get(f"/trainings/{training_id}/metrics")
    return [(point["step"], point["loss"]) for point in points if point["step"] % 10 == 0]


@pytest.mark.fault(2)
@pytest.mark.fault(5)
@pytest.mark.fault(10)
@pytest.mark.parametrize("victim", ["worker-training", "valkey", "postgres"])
def test_a_killed_process_costs_no_training(
    stack: Stack, prepared: Prepared, reference: str, victim: str
) -> None:
    created = stack.post("/trainings", prepared.training(**SETTINGS))
    path = f"/trainings/{created['training_id']}"
    stack.wait_until(path, lambda t: t["n_checkpoints"] > 0 and t["current_step"] >= 100)
    os.kill(stack.pid_of(victim), signal.SIGKILL)
    training: dict[str, Any] = stack.wait_until(
        path, lambda t: t["status"] in {"completed", "error", "stopped"}, seconds=600
    )
    assert (training["status"], training["error_message"]) == ("completed", None)
    assert training["current_step"] == STEPS
    assert training["evaluation"]["figures"]
    series = series_of(stack, created["training_id"])
    assert series == series_of(stack, reference)
    assert len(series) == STEPS // 10
    assert training["job"]["state"] == "succeeded"
