"""Several dictionaries from one pass: the same bits as alone, the rows read once."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file

from app.ml.activation_extraction import ActivationRows
from app.ml.configs import ConfigInvalid, TrainingHyperparameters
from app.ml.records import StepMetrics
from app.ml.sae_training import TrainingJob, train, train_many
from tests.ml.conftest import StoreOf, ignore


def settings(**values: Any) -> TrainingHyperparameters:
    return TrainingHyperparameters.from_dict(
        {"d_sae": 24, "k": 3, "batch_size": 32, "training_steps": 30, "precision": "float32",
         "data_seed": 1, **values}
    )  # fmt: skip


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
        store, jobs, report=lambda number, point: points.append((number, point)),
        should_stop=lambda: None, on_checkpoint=lambda number, info: None,
    )  # fmt: skip
    assert reads.count(32) == 2 * 30  # two places, thirty steps, four dictionaries
    monkeypatch.undo()
    assert [outcome.step for outcome in together] == [30, 30, 20, 30]
    assert {number for number, _ in points} == {0, 1, 2, 3}
    for number, (place, outcome) in enumerate(zip(grid, together, strict=True)):
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
        train_many(
            store_of(rows()), jobs, report=lambda *_: None, should_stop=lambda: None,
            on_checkpoint=lambda *_: None,
        )  # fmt: skip


def test_stopping_ends_all_with_checkpoints(tmp_path: Path, store_of: StoreOf) -> None:
    asked = iter([None] * 10 + ["pause"] * 10)
    jobs = [TrainingJob(0, "mlp", "sparse", settings(seed=s), tmp_path / str(s)) for s in (1, 2)]
    found = train_many(
        store_of(rows()), jobs, report=lambda *_: None, should_stop=lambda: next(asked),
        on_checkpoint=lambda *_: None,
    )  # fmt: skip
    assert [(o.status, o.step) for o in found] == [("stopped", 6), ("stopped", 6)]
    assert all(o.checkpoint.reason == "stop" for o in found)
