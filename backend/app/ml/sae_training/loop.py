"""Training: synchronous, stoppable between steps, exact when resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.configs import ConfigInvalid, Problem, TrainingHyperparameters
from app.ml.devices import coded_memory_errors
from app.ml.files import remove_leftovers
from app.ml.records import CheckpointInfo, StepMetrics, TrainingOutcome
from app.ml.sae_training.run import Listeners, TrainingRun
from app.ml.sae_training.sources import source_of
from app.ml.sae_training.streaming import ModelStream


def train(
    store: ActivationStore,
    layer: int,
    hook_type: str,
    encoder_type: str,
    hyperparameters: TrainingHyperparameters,
    checkpoint_dir: Path,
    *,
    report: Callable[[StepMetrics], None],
    should_stop: Callable[[], str | None],
    on_checkpoint: Callable[[CheckpointInfo], None],
    resume_from: Path | None = None,
    should_save: Callable[[], bool] | None = None,
    on_save_failed: Callable[[], None] | None = None,
    recorded: Callable[[], int | None] | None = None,
    device: str = "auto",
    stream: ModelStream | None = None,
) -> TrainingOutcome:
    """Train a dictionary on the training rows of a store.

    Batches depend on seed and step only: a run that was stopped and resumed ends with the same
    bits as one that was not (on a CPU).

    Args:
        store: Finished extraction that holds ``layer`` and ``hook_type``, and for a transcoder
            the MLP's output too.
        layer: Block whose activations are read.
        hook_type: Place in that block that is read; "mlp_input" for a transcoder.
        encoder_type: See ``configs.ENCODER_TYPES``.
        hyperparameters: The recipe; its defaults need no tuning.
        checkpoint_dir: Receives ``step_{n}`` folders.
        report: Gets a point every ``log_every`` steps, at the first and at the last.
        should_stop: Asked between steps; a reason saves a checkpoint and ends the call.
        on_checkpoint: Told of every checkpoint once it is on disk.
        resume_from: Checkpoint folder to continue from.
        should_save: Asked between steps; true writes a checkpoint that is never pruned.
        on_save_failed: Told of a checkpoint that could not be written, before the error is raised.
        recorded: Gives the step of the newest checkpoint that its owner can find again after a
            crash; that one is not dropped for newer ones.
        device: "auto", "cpu", "cuda" or "cuda:1".
        stream: Where ``hyperparameters.source`` is "stream": a model and the tokens that it reads
            during the training; the store then serves for statistics and held-out figures.

    Raises:
        ConfigInvalid: the combination of settings, encoder type and width does not exist.
        StoreInvalid: the store lacks a place that is read or written.
        InvalidActivations: NaN or infinity in the store.
        TrainingDiverged: the loss left the numbers.
        CheckpointInvalid, CheckpointMismatch: ``resume_from`` cannot be used.
        OutOfMemory: the device is too small.
        Stopped: asked to before the first point, while the model of a stream was reading.
    """
    checkpoint_dir.mkdir(parents=True, exist_ok=True)
    remove_leftovers(checkpoint_dir)
    listeners = Listeners(report, should_stop, on_checkpoint, should_save, on_save_failed, recorded)
    if hyperparameters.source == "stream" and stream is None:
        raise ConfigInvalid([Problem("source", "needs a language model that reads the tokens")])
    with coded_memory_errors("training the dictionary"), torch.no_grad():
        streamed = stream if hyperparameters.source == "stream" else None
        source = source_of(store, layer, hook_type, encoder_type, streamed)
        run = TrainingRun(source, hyperparameters, checkpoint_dir, listeners, device)
        run.start(resume_from)
        while not run.is_over:
            run.turn()
        return run.outcome()
