"""Several dictionaries from one pass: the same bits as alone, the rows read once."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file

from app.ml.activation_extraction import ActivationRows
from app.ml.configs import ConfigInvalid, TrainingHyperparameters
from app.ml.errors import TrainingDiverged
from app.ml.records import StepMetrics
from app.ml.sae_training import GridListeners, TrainingJob, train, train_many
from app.ml.sae_training.objectives.base import Batch, StepLosses
from app.ml.sae_training.run import TrainingRun
from tests.ml.conftest import StoreOf, ignore


def settings(**values: Any) -> TrainingHyperparameters:
    return TrainingHyperparameters.from_dict(
        {"d_sae": 24, "k": 3, "batch_size": 32, "training_steps": 30, "precision": "float32",
         "data_seed": 1, **values}
    )  # fmt: skip


def listeners(**values: Any) -> GridListeners:
    nothing = {"report": ignore_both, "on_checkpoint": ignore_both, "on_failure": ignore_both}
    return GridListeners(**{**nothing, "should_stop": lambda: None, **values})


def ignore_both(number: int, what: object) -> None:
    """Take a report and do nothing."""


def rows() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=(500, 8))
    return {"mlp_input": x, "mlp": np.maximum(x, 0)}


def test_a_grid_trains_as_each_would_alone_and_reads_once(
    tmp_path: Path, store_of: StoreOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(rows())
    grid = [
        ("mlp_input", "sparse", settings(seed=1)),
        ("mlp_input", "sparse", settings(seed=2, activation="batchtopk", k=5)),
        ("mlp_input", "transcoder", settings(training_steps=20)),
        ("mlp", "skip", settings(d_sae=16)),
    ]
    jobs = [TrainingJob(0, *place, tmp_path / f"m{i}") for i, place in enumerate(grid)]
    reads: list[int] = []
    gather = ActivationRows.gather

    def counting(self: ActivationRows, numbers: npt.NDArray[np.int64]) -> torch.Tensor:
        reads.append(len(numbers))
        return gather(self, numbers)

    monkeypatch.setattr(ActivationRows, "gather", counting)
    points: list[tuple[int, StepMetrics]] = []
    together = train_many(
        store, jobs, listeners(report=lambda number, point: points.append((number, point)))
    )
    assert reads.count(32) == 2 * 30  # two places, thirty steps, four dictionaries
    monkeypatch.undo()
    ended = [outcome for outcome in together if outcome is not None]
    assert [outcome.step for outcome in ended] == [30, 30, 20, 30]
    assert {number for number, _ in points} == {0, 1, 2, 3}
    for number, (place, outcome) in enumerate(zip(grid, ended, strict=True)):
        alone = train(
            store, 0, *place, tmp_path / f"a{number}", report=ignore,
            should_stop=lambda: None, on_checkpoint=ignore,
        )  # fmt: skip
        one = load_file(outcome.checkpoint.path / "state.safetensors")
        two = load_file(alone.checkpoint.path / "state.safetensors")
        assert all(torch.equal(one[key], two[key]) for key in one), place


@pytest.mark.parametrize("change", [{"batch_size": 16}, {"data_seed": 2}])
def test_what_cannot_share_batches_is_refused(
    tmp_path: Path, store_of: StoreOf, change: dict[str, int]
) -> None:
    jobs = [
        TrainingJob(0, "mlp", "sparse", config, tmp_path / str(number))
        for number, config in enumerate([settings(), settings(**change)])
    ]
    with pytest.raises(ConfigInvalid, match=next(iter(change))):
        train_many(store_of(rows()), jobs, listeners())


def test_stopping_ends_all_with_checkpoints(tmp_path: Path, store_of: StoreOf) -> None:
    asked = iter([None] * 10 + ["pause"] * 10)
    jobs = [TrainingJob(0, "mlp", "sparse", settings(seed=s), tmp_path / str(s)) for s in (1, 2)]
    found = train_many(store_of(rows()), jobs, listeners(should_stop=lambda: next(asked)))
    assert [(o.status, o.step) for o in found if o] == [("stopped", 6), ("stopped", 6)]
    assert all(o.checkpoint.reason == "stop" for o in found if o)


def test_those_that_stopped_at_different_steps_are_brought_level(
    tmp_path: Path, store_of: StoreOf
) -> None:
    """As after a crash between two checkpoints of the same step."""
    store = store_of(rows())
    config = settings(checkpoint_every=10, keep_checkpoints=3, log_every=1)
    jobs = [TrainingJob(0, "mlp", "sparse", config, tmp_path / name) for name in "ab"]
    train_many(store, jobs, listeners())
    straight = [load_file(tmp_path / n / "step_30" / "state.safetensors") for n in "ab"]
    again = [
        replace(job, checkpoint_dir=tmp_path / f"{n}2", resume_from=tmp_path / n / f"step_{step}")
        for job, n, step in zip(jobs, "ab", (20, 10), strict=True)
    ]
    order: list[tuple[int, int]] = []
    train_many(store, again, listeners(report=lambda n, point: order.append((n, point.step))))
    alone, together = order[:10], order[10:]
    assert alone == [(1, step) for step in range(11, 21)]
    assert together == [(n, step) for step in range(21, 31) for n in (0, 1)]
    resumed = [load_file(tmp_path / f"{n}2" / "step_30" / "state.safetensors") for n in "ab"]
    for one, two in zip(straight, resumed, strict=True):
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_one_that_diverges_leaves_the_others(
    tmp_path: Path, store_of: StoreOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = TrainingRun._check_finite

    def failing(self: TrainingRun, losses: StepLosses, batch: Batch) -> None:
        if self.settings.seed == 2 and self.state.step == 5:
            losses = replace(losses, loss=losses.loss * math.nan)
        check(self, losses, batch)

    monkeypatch.setattr(TrainingRun, "_check_finite", failing)
    store = store_of(rows())
    jobs = [TrainingJob(0, "mlp", "sparse", settings(seed=s), tmp_path / str(s)) for s in (1, 2)]
    failed: list[int] = []
    told = listeners(on_failure=lambda number, error: failed.append(number))
    found = train_many(store, jobs, told)
    assert [o and o.step for o in found] == [30, None]
    assert failed == [1]
    with pytest.raises(TrainingDiverged):
        train_many(store, jobs[1:], told)
