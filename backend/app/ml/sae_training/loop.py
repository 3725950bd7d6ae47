"""The training loop: synchronous, stoppable between steps, exact when resumed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.configs import TrainingHyperparameters
from app.ml.devices import coded_memory_errors, memory_bytes, pick_device, pick_dtype
from app.ml.errors import InvalidActivations, TrainingDiverged
from app.ml.files import remove_leftovers
from app.ml.records import CheckpointInfo, StepMetrics, TrainingOutcome
from app.ml.sae_training.batches import ShuffledBatches
from app.ml.sae_training.checkpoint import (
    RunIdentity,
    TrainingState,
    restore_checkpoint,
    save_checkpoint,
)
from app.ml.sae_training.objectives import Objective, StepLosses
from app.ml.sae_training.registry import build_objective
from app.ml.sae_training.schedule import learning_rate_at
from app.ml.sae_training.weights import Weights, initialise, measure_normalisation

INITIALISATION_ROWS = 2048
ADAM_BETAS = (0.9, 0.999)
SGD_MOMENTUM = 0.9


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
    device: str = "auto",
) -> TrainingOutcome:
    """Train a dictionary on the training rows of a store.

    Batches depend on seed and step only: a run that was stopped and resumed ends with the same
    bits as one that was not (on a CPU).

    Args:
        store: Finished extraction that holds ``layer`` and ``hook_type``.
        layer: Block whose activations are read.
        hook_type: Place in that block.
        encoder_type: See ``configs.ENCODER_TYPES``.
        hyperparameters: The recipe; its defaults need no tuning.
        checkpoint_dir: Receives ``step_{n}`` folders.
        report: Gets a point every ``log_every`` steps, at the first and at the last.
        should_stop: Asked between steps; a reason saves a checkpoint and ends the call.
        on_checkpoint: Told of every checkpoint once it is on disk.
        resume_from: Checkpoint folder to continue from.
        should_save: Asked between steps; true writes a checkpoint that is never pruned.
        device: "auto", "cpu", "cuda" or "cuda:1".

    Raises:
        ConfigInvalid: the combination of settings and width does not exist.
        InvalidActivations: NaN or infinity in the store.
        TrainingDiverged: the loss left the numbers.
        CheckpointInvalid, CheckpointMismatch: ``resume_from`` cannot be used.
        OutOfMemory: the device is too small.
    """
    checkpoint_dir.mkdir(parents=True, exist_ok=True)
    remove_leftovers(checkpoint_dir)
    with coded_memory_errors("training the dictionary"), torch.no_grad():
        run = _TrainingRun(store, layer, hook_type, encoder_type, hyperparameters, device)
        if resume_from is not None:
            restore_checkpoint(resume_from, run.state, run.identity, hyperparameters)
        else:
            run.initialise()
        return run.execute(checkpoint_dir, report, should_stop, on_checkpoint, should_save)


class _TrainingRun:
    def __init__(
        self,
        store: ActivationStore,
        layer: int,
        hook_type: str,
        encoder_type: str,
        hyperparameters: TrainingHyperparameters,
        device: str,
    ) -> None:
        rows = store.rows(layer, hook_type)
        self.settings = hyperparameters
        self.device = pick_device(device)
        d_sae = hyperparameters.latents(rows.d_model)
        dtype = pick_dtype(hyperparameters.precision, self.device)
        self.objective: Objective = build_objective(
            encoder_type, hyperparameters, rows.d_model, dtype
        )
        self.identity = RunIdentity(
            encoder_type, layer, hook_type, rows.d_model, d_sae, store.n_train_rows
        )
        self.batches = ShuffledBatches(
            rows, store.n_train_rows, hyperparameters.batch_size, hyperparameters.seed
        )
        normalisation = measure_normalisation(_checked(self.batches.sample())).to(self.device)
        weights = Weights(rows.d_model, d_sae).to(self.device)
        self.state = TrainingState(
            weights=weights,
            normalisation=normalisation,
            optimiser=build_optimiser(weights, hyperparameters),
            tokens_since_fired_F=torch.zeros(d_sae, dtype=torch.int64, device=self.device),
        )
        self.dead_window = hyperparameters.resolved_dead_window_tokens()
        self.last_mark = time.perf_counter()
        self.marked_step = 0

    def initialise(self) -> None:
        sample = self.batches.sample(INITIALISATION_ROWS).to(self.device)
        initialise(self.state.weights, self.state.normalisation.apply(sample), self.settings)

    def execute(
        self,
        checkpoint_dir: Path,
        report: Callable[[StepMetrics], None],
        should_stop: Callable[[], str | None],
        on_checkpoint: Callable[[CheckpointInfo], None],
        should_save: Callable[[], bool] | None,
    ) -> TrainingOutcome:
        state, settings = self.state, self.settings
        began, first_step = time.perf_counter(), state.step
        self.last_mark, self.marked_step = began, state.step
        metrics: StepMetrics | None = None
        reason: str | None = None
        saved: CheckpointInfo | None = None

        def save(why: Literal["interval", "request", "stop", "final"]) -> CheckpointInfo:
            latest = metrics or self._measure_only()
            info = save_checkpoint(checkpoint_dir, state, self.identity, settings, latest, why)
            on_checkpoint(info)
            return info

        while state.step < settings.training_steps and reason is None:
            losses, x_BD, gradient_norm, rate = self._step()
            saved = None
            is_last = state.step == settings.training_steps
            wants_save = should_save is not None and should_save()
            is_due = settings.checkpoint_every and state.step % settings.checkpoint_every == 0
            reason = None if is_last else should_stop()
            if (
                is_last
                or is_due
                or wants_save
                or reason
                or state.step == 1
                or state.step % settings.log_every == 0
            ):
                metrics = self._metrics(losses, x_BD, gradient_norm, rate)
                report(metrics)
            if is_last or reason:
                saved = save("final" if is_last else "stop")
            elif wants_save or is_due:
                saved = save("request" if wants_save else "interval")
        if saved is None:
            saved = save("final")
        seconds = time.perf_counter() - began
        tokens = (state.step - first_step) * settings.batch_size
        return TrainingOutcome(
            status="completed" if reason is None else "stopped",
            step=state.step,
            checkpoint=saved,
            tokens_per_second=tokens / max(seconds, 1e-9),
            seconds=seconds,
            reason=reason,
        )

    def _step(self) -> tuple[StepLosses, torch.Tensor, torch.Tensor, float]:
        """Do one optimiser step; returns what its metrics are computed from."""
        state, settings = self.state, self.settings
        x_BD = self._load_batch(state.step)
        rate = learning_rate_at(state.step, settings, state.weights.d_sae)
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        dead = (state.tokens_since_fired_F >= self.dead_window).nonzero().flatten()
        progress = (state.step + 1) / settings.training_steps
        losses = self.objective.step(state.weights, x_BD, dead, progress)
        if self.device.type == "cpu" or state.step % settings.log_every == 0:
            self._check_finite(losses, x_BD)
        state.weights.project_decoder_gradient()
        limit = settings.gradient_clip or math.inf
        parameters = list(state.weights.parameters())
        gradient_norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
        state.optimiser.step()
        state.weights.normalise_decoder()
        state.tokens_since_fired_F += len(x_BD)
        state.tokens_since_fired_F[losses.fired] = 0
        state.step += 1
        return losses, x_BD, gradient_norm, rate

    def _load_batch(self, step: int) -> torch.Tensor:
        batch = self.batches.batch(step).to(self.device, non_blocking=True)
        return self.state.normalisation.apply(batch)

    def _check_finite(self, losses: StepLosses, x_BD: torch.Tensor) -> None:
        if bool(torch.isfinite(losses.loss)):
            return
        _checked(x_BD)
        raise TrainingDiverged(
            f"The loss became {losses.loss.item()} at step {self.state.step + 1}; "
            "use a smaller learning rate."
        )

    def _measure_only(self) -> StepMetrics:
        """Measure on the first batch without a step, for a run that had none left to do."""
        x_BD = self._load_batch(max(self.state.step - 1, 0))
        dead = torch.empty(0, dtype=torch.int64, device=self.device)
        losses = self.objective.step(self.state.weights, x_BD, dead, 1.0)
        return self._metrics(losses, x_BD, losses.loss.new_zeros(()), 0.0)

    def _metrics(
        self, losses: StepLosses, x_BD: torch.Tensor, gradient_norm: torch.Tensor, rate: float
    ) -> StepMetrics:
        now, state = time.perf_counter(), self.state
        tokens = (state.step - self.marked_step) * self.settings.batch_size
        seconds = max(now - self.last_mark, 1e-9)
        self.last_mark, self.marked_step = now, state.step
        spread = (x_BD - x_BD.mean(dim=0)).square().sum().item()
        error = losses.error_BD.square().sum().item()
        return StepMetrics(
            step=state.step,
            loss=losses.loss.item(),
            reconstruction_loss=losses.reconstruction.item(),
            l0=losses.l0.item(),
            explained_variance=1 - error / spread if spread > 0 else 0.0,
            dead_latents=int((state.tokens_since_fired_F >= self.dead_window).sum()),
            learning_rate=rate,
            gradient_norm=gradient_norm.item(),
            tokens_per_second=tokens / seconds,
            tokens_seen=state.step * self.settings.batch_size,
            auxiliary_loss=losses.auxiliary.item(),
            sparsity_loss=losses.sparsity.item(),
            memory_bytes=memory_bytes(self.device),
        )


def build_optimiser(
    weights: Weights, hyperparameters: TrainingHyperparameters
) -> torch.optim.Optimizer:
    """Return the optimiser; decoupled weight decay only with adamw, momentum 0.9 with sgd."""
    parameters = list(weights.parameters())
    if hyperparameters.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=0.0, momentum=SGD_MOMENTUM)
    if hyperparameters.optimizer == "adamw":
        decay = hyperparameters.weight_decay
        return torch.optim.AdamW(
            parameters, lr=0.0, betas=ADAM_BETAS, weight_decay=decay, fused=True
        )
    return torch.optim.Adam(parameters, lr=0.0, betas=ADAM_BETAS, fused=True)


def _checked(rows_ND: torch.Tensor) -> torch.Tensor:
    if not bool(torch.isfinite(rows_ND).all()):
        raise InvalidActivations("The stored activations hold NaN or infinity; extract again.")
    return rows_ND
