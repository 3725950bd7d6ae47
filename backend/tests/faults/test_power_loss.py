"""Every process is killed at once, again and again, in the middle of a training.

``make faults ROUNDS=20`` kills twenty times, with FAULT_DEMO=1 in the demo's training. After each
time: up again within 15 s, the training completed by itself, its curve equal to the bit to that of
a run that nobody disturbed.
"""

import random
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import TrainingMetric
from tests.fixtures.order import assert_in_order
from tests.fixtures.product import Product, Run, number_from_environment
from tests.fixtures.rig import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.faults]
ROUNDS = number_from_environment("FAULT_ROUNDS", 3)
# The limit is 15 s on a machine of its own; `make faults` on a busy one may widen it.
START_LIMIT_SECONDS = float(number_from_environment("FAULT_START_SECONDS", 15))
COMPLETED_WITHIN_SECONDS = 600.0
Curve = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def run(product: Product) -> Run:
    return product.prepare()


@pytest.fixture(scope="module")
def undisturbed(product: Product, run: Run) -> tuple[Curve, float]:
    """The curve of a run that nobody disturbs, and how long it takes."""
    training = begin(product, run)
    path = f"/trainings/{training}"
    product.stack.wait_until(path, has_begun)
    began = time.monotonic()
    ended = product.stack.wait_until(path, lambda t: has_begun(t) and t["status"] != "training")
    assert ended["status"] == "completed"
    with product.session() as session:
        return curve(session, training, run.log_every), time.monotonic() - began


def begin(product: Product, run: Run) -> str:
    return str(product.stack.post("/trainings", run.body())["training_id"])


def has_begun(training: dict[str, Any]) -> bool:
    """It may be over as well before anybody looks."""
    return bool(training["status"] != "initializing")


def curve(session: Session, training_id: str, log_every: int) -> Curve:
    """Every number of every logged step that the loop computes; a pause adds steps of its own."""
    columns = (
        TrainingMetric.step,
        TrainingMetric.loss,
        TrainingMetric.sparsity,
        TrainingMetric.reconstruction_error,
        TrainingMetric.explained_variance,
        TrainingMetric.dead_neurons,
        TrainingMetric.learning_rate,
    )
    rows = session.execute(
        select(*columns)
        .where(TrainingMetric.training_id == training_id)
        .order_by(TrainingMetric.step)
    )
    return [tuple(row) for row in rows if row.step % log_every == 0]


def strangers() -> set[Path]:
    """What processes left in the machine's own temporary folder."""
    return set(Path(tempfile.gettempdir()).glob("pymp-*"))


@pytest.mark.fault(20)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_power_is_cut_at_a_random_moment(
    product: Product, run: Run, undisturbed: tuple[Curve, float], number: int
) -> None:
    expected, seconds = undisturbed
    before = strangers()
    training = begin(product, run)
    path = f"/trainings/{training}"
    product.stack.wait_until(path, has_begun)
    moment = random.Random(number).uniform(0.0, 0.9 * seconds)
    time.sleep(moment)
    step = product.stack.get(path)["current_step"]
    product.cut_power()
    wait_for(lambda: not product.strays(), "no process of the old stack", seconds=60)

    up_after = product.start()
    ended = product.stack.wait_until(
        path,
        lambda t: t["status"] in {"completed", "error", "stopped"},
        seconds=COMPLETED_WITHIN_SECONDS,
    )

    print(f"round {number + 1}: killed at step {step}, up again after {up_after:.1f} s")
    assert (ended["status"], ended["error_message"]) == ("completed", None)
    assert ended["current_step"] == run.steps
    with product.session() as session:
        assert curve(session, training, run.log_every) == expected
    assert len(expected) == run.steps // run.log_every
    assert_in_order(product.stack)
    assert strangers() <= before
    assert up_after < START_LIMIT_SECONDS
