"""Several dictionaries from one pass over the activations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.configs import ConfigInvalid, TrainingHyperparameters, sharing_problems
from app.ml.devices import coded_memory_errors
from app.ml.errors import TrainingDiverged
from app.ml.files import remove_leftovers
from app.ml.records import CheckpointInfo, StepMetrics, TrainingOutcome
from app.ml.sae_training.batches import RowSource
from app.ml.sae_training.run import Listeners, TrainingRun
from app.ml.sae_training.sources import SharedRows, TrainingSource, source_of


@dataclass(frozen=True)
class TrainingJob:
    """One dictionary of a grid; ``resume_from`` a checkpoint of its own to go on from."""

    layer: int
    hook_type: str
    encoder_type: str
    hyperparameters: TrainingHyperparameters
    checkpoint_dir: Path
    resume_from: Path | None = None


@dataclass(frozen=True)
class GridListeners:
    """Who is told of a grid and who may end it; as in ``train``, with the number of the job first.

    ``on_failure`` is told of a dictionary whose loss left the numbers; the others go on.
    """

    report: Callable[[int, StepMetrics], None]
    should_stop: Callable[[], str | None]
    on_checkpoint: Callable[[int, CheckpointInfo], None]
    on_failure: Callable[[int, TrainingDiverged], None]
    should_save: Callable[[int], bool] | None = None
    on_save_failed: Callable[[], None] | None = None
    recorded: Callable[[int], int | None] | None = None

    def of(self, number: int) -> Listeners:
        save = None if self.should_save is None else partial(self.should_save, number)
        recorded = None if self.recorded is None else partial(self.recorded, number)
        return Listeners(
            partial(self.report, number),
            self.should_stop,
            partial(self.on_checkpoint, number),
            save,
            self.on_save_failed,
            recorded,
        )


def train_many(
    store: ActivationStore,
    jobs: Sequence[TrainingJob],
    listeners: GridListeners,
    *,
    device: str = "auto",
) -> list[TrainingOutcome | None]:
    """Train dictionaries of different layers, k, seeds or types on the same batches.

    Every batch is read once per place and each dictionary does its step on it, so the reading
    does not grow with their number. Each ends with the bits that it would have if trained alone
    (on a CPU). Those that go on from different steps are brought level first.

    Args:
        store: Holds every place that is read or written.
        jobs: Equal in batch size and in the seed of the order (``data_seed``).
        listeners: A reason to stop ends all of them.
        device: As in ``train``; it must hold all dictionaries at once.

    Returns:
        How each ended, in order; None for one that diverged.

    Raises:
        ConfigInvalid: the jobs cannot share batches.
        TrainingDiverged: all of them did.
        As ``train`` otherwise.
    """
    problems = sharing_problems([job.hyperparameters for job in jobs])
    if problems:
        raise ConfigInvalid(problems)
    shared: dict[tuple[int, str], RowSource] = {}
    runs: dict[int, TrainingRun] = {}
    with coded_memory_errors("training the dictionaries"), torch.no_grad():
        for number, job in enumerate(jobs):
            job.checkpoint_dir.mkdir(parents=True, exist_ok=True)
            remove_leftovers(job.checkpoint_dir)
            source = _shared(source_of(store, job.layer, job.hook_type, job.encoder_type), shared)
            told = listeners.of(number)
            run = TrainingRun(source, job.hyperparameters, job.checkpoint_dir, told, device)
            run.start(job.resume_from)
            runs[number] = run
        while going := {n: run for n, run in runs.items() if not run.is_over}:
            least = min(run.state.step for run in going.values())
            for number, run in going.items():
                if run.state.step == least:
                    _turn(number, runs, listeners)
        return [runs[n].outcome() if n in runs else None for n in range(len(jobs))]


def _turn(number: int, runs: dict[int, TrainingRun], listeners: GridListeners) -> None:
    """Do a step of one; forget it if it diverges and others are left."""
    try:
        runs[number].turn()
    except TrainingDiverged as error:
        if len(runs) == 1:
            raise
        del runs[number]
        listeners.on_failure(number, error)


def _shared(source: TrainingSource, known: dict[tuple[int, str], RowSource]) -> TrainingSource:
    """Let the rows of one place be read once for all."""

    def once(hook_type: str, rows: RowSource) -> RowSource:
        return known.setdefault((source.layer, hook_type), SharedRows(rows))

    targets = source.targets and once(source.target_hook_type, source.targets)
    return replace(source, inputs=once(source.hook_type, source.inputs), targets=targets)
