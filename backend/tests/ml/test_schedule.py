"""Learning rates by hand."""

import pytest

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.schedule import learning_rate_at


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("trapezoid", [0.05, 0.1, 1.0, 1.0, 1.0, 0.5, 0.05]),
        ("constant", [0.05, 0.1, 1.0, 1.0, 1.0, 1.0, 1.0]),
        ("linear", [0.05, 0.1, 1.0, 0.5, 0.25, 0.125, 0.0125]),
        ("cosine", [0.05, 0.1, 1.0, 0.5, 0.14644661, 0.03806023, 0.000385482]),
        ("exponential", [0.05, 0.1, 1.0, 0.1, 0.03162278, 0.01778279, 0.01059254]),
    ],
)
def test_schedules_by_hand(schedule: str, expected: list[float]) -> None:
    """100 steps, 20 of warm-up, peak 1: values at steps 0, 1, 20, 60, 80, 90, 99."""
    config = TrainingHyperparameters(
        learning_rate=1.0,
        training_steps=100,
        warmup_steps=20,
        lr_schedule=schedule,
    )
    found = [learning_rate_at(step, config, 64) for step in (0, 1, 20, 60, 80, 90, 99)]
    assert found == pytest.approx(expected, rel=1e-5)
