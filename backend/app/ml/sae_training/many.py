"""Several dictionaries from one pass over the activations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.configs import ConfigInvalid, Problem, TrainingHyperparameters
from app.ml.devices import coded_memory_errors
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


def train_many(
    store: ActivationStore,
    jobs: Sequence[TrainingJob],
    *,
    report: Callable[[int, StepMetrics], None],
    should_stop: Callable[[], str | None],
    on_checkpoint: Callable[[int, CheckpointInfo], None],
    device: str = "auto",
) -> list[TrainingOutcome]:
    """Train dictionaries of different layers, k, seeds or types on the same batches.

    Every batch is read once per place and each dictionary does its step on it, so the reading
    does not grow with their number. Each ends with the bits that it would have if trained alone
    (on a CPU).

    Args:
        store: Holds every place that is read or written.
        jobs: Equal in batch size and in the seed of the order (``data_seed``); settings that
            start from a checkpoint must start at the same step to share a pass.
        report: As in ``train``, with the number of the job before it.
        should_stop: As in ``train``; a reason ends all of them.
        on_checkpoint: As in ``train``, with the number of the job before it.
        device: As in ``train``; it must hold all dictionaries at once.

    Raises:
        ConfigInvalid: the jobs cannot share batches.
        As ``train`` otherwise.
    """
    _refuse_unequal([job.hyperparameters for job in jobs])
    shared: dict[tuple[int, str], RowSource] = {}
    runs = []
    with coded_memory_errors("training the dictionaries"), torch.no_grad():
        for number, job in enumerate(jobs):
            job.checkpoint_dir.mkdir(parents=True, exist_ok=True)
            remove_leftovers(job.checkpoint_dir)
            listeners = Listeners(
                partial(report, number), should_stop, partial(on_checkpoint, number)
            )
            source = _shared(source_of(store, job.layer, job.hook_type, job.encoder_type), shared)
            run = TrainingRun(source, job.hyperparameters, job.checkpoint_dir, listeners, device)
            run.start(job.resume_from)
            runs.append(run)
        while any(not run.is_over for run in runs):
            for run in runs:
                if not run.is_over:
                    run.turn()
        return [run.outcome() for run in runs]


def _refuse_unequal(settings: Sequence[TrainingHyperparameters]) -> None:
    if len({config.batch_size for config in settings}) > 1:
        raise ConfigInvalid([Problem("batch_size", "must be the same to share batches")])
    if any(config.source != "store" for config in settings):
        raise ConfigInvalid([Problem("source", "must be store to share batches")])
    if len({config.resolved_data_seed() for config in settings}) > 1:
        raise ConfigInvalid([Problem("data_seed", "must be the same to share batches")])


def _shared(source: TrainingSource, known: dict[tuple[int, str], RowSource]) -> TrainingSource:
    """Let the rows of one place be read once for all."""

    def once(hook_type: str, rows: RowSource) -> RowSource:
        return known.setdefault((source.layer, hook_type), SharedRows(rows))

    targets = source.targets and once(source.target_hook_type, source.targets)
    return replace(source, inputs=once(source.hook_type, source.inputs), targets=targets)
