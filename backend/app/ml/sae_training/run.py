"""One training under way: its state, its steps, its points and its checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.devices import gpu_utilization, memory_bytes, pick_device, pick_dtype
from app.ml.errors import InvalidActivations, Stopped, TrainingDiverged
from app.ml.records import CheckpointInfo, StepMetrics, TrainingOutcome
from app.ml.sae_training.architecture import architecture_of
from app.ml.sae_training.checkpoint import (
    CheckpointContent,
    Reason,
    restore_checkpoint,
    save_checkpoint,
)
from app.ml.sae_training.dead_latents import DeadLatents
from app.ml.sae_training.folding import fold
from app.ml.sae_training.hardware_floor import floor_share, product_rate
from app.ml.sae_training.initialisation import initialise
from app.ml.sae_training.normalisation import measure_normalisation
from app.ml.sae_training.objectives.base import Batch, StepLosses
from app.ml.sae_training.optimisers import build_optimiser
from app.ml.sae_training.quality import HeldoutSample, smoothed
from app.ml.sae_training.registry import build_objective
from app.ml.sae_training.schedule import learning_rate_at
from app.ml.sae_training.sources import TrainingSource
from app.ml.sae_training.state import RunIdentity, TrainingState
from app.ml.sae_training.stepping import accumulate
from app.ml.sae_training.weights import Weights

INITIALISATION_ROWS = 2048


@dataclass(frozen=True)
class Listeners:
    """Who is told of a run and who may end it; see ``train``."""

    report: Callable[[StepMetrics], None]
    should_stop: Callable[[], str | None]
    on_checkpoint: Callable[[CheckpointInfo], None]
    should_save: Callable[[], bool] | None = None
    on_save_failed: Callable[[], None] | None = None
    recorded: Callable[[], int | None] | None = None


@dataclass(frozen=True)
class _Step:
    losses: StepLosses
    batch: Batch
    gradient_norm: torch.Tensor
    learning_rate: float


class TrainingRun:
    """Args:
    source: What is read and what is to be written.
    hyperparameters: The recipe.
    folder: Receives the checkpoints.
    listeners: Told of points and checkpoints.
    device: "auto", "cpu", "cuda" or "cuda:1".
    """

    def __init__(
        self,
        source: TrainingSource,
        hyperparameters: TrainingHyperparameters,
        folder: Path,
        listeners: Listeners,
        device: str,
    ) -> None:
        self.settings, self.folder, self.listeners = hyperparameters, folder, listeners
        self.device = pick_device(device)
        architecture = architecture_of(
            source.encoder_type, hyperparameters, source.d_in, source.d_out
        )
        dtype = pick_dtype(hyperparameters.precision, self.device)
        self.objective = build_objective(architecture, hyperparameters, dtype)
        self.product_rate = product_rate(
            self.device, dtype, hyperparameters.batch_size, source.d_in, architecture.d_sae
        )
        self.identity = RunIdentity(
            source.encoder_type, source.layer, source.hook_type, source.target_hook_type,
            source.d_in, source.d_out, architecture.d_sae, source.n_train_tokens,
        )  # fmt: skip
        self.batches = source.near(self.device).batches(
            hyperparameters.batch_size,
            hyperparameters.resolved_data_seed(),
            lambda: listeners.should_stop() is not None,
        )
        self.heldout = HeldoutSample(
            source.inputs, source.targets, source.n_train_rows, source.n_rows
        )
        self.state = self._fresh_state(Weights(architecture).to(self.device))
        self.dead_window = hyperparameters.resolved_dead_window_tokens()
        self.dead = DeadLatents(self.dead_window, hyperparameters.batch_size)
        self.began = self.last_mark = time.perf_counter()
        self.first_step = self.marked_step = 0
        self.reason: str | None = None
        self.metrics: StepMetrics | None = None
        self.saved: CheckpointInfo | None = None

    def _fresh_state(self, weights: Weights) -> TrainingState:
        inputs, targets = self.batches.sample()
        read = measure_normalisation(_checked(inputs)).to(self.device)
        written = read
        if targets is not inputs:
            written = measure_normalisation(_checked(targets)).to(self.device)
        counters_F = torch.zeros(weights.d_sae, dtype=torch.int64, device=self.device)
        optimiser = build_optimiser(weights, self.settings)
        return TrainingState(
            weights, read, written, optimiser, counters_F, block_rows=self.batches.block_rows
        )

    def start(self, resume_from: Path | None) -> None:
        """Fill the weights: from a checkpoint, or fresh."""
        if resume_from is not None:
            restore_checkpoint(resume_from, self.state, self.identity, self.settings)
        else:
            sample = self.batches.sample(INITIALISATION_ROWS)[0].to(self.device)
            initialise(self.state.weights, self.state.read.apply(sample), self.settings)
        self.began = self.last_mark = time.perf_counter()
        self.first_step = self.marked_step = self.state.step

    @property
    def is_over(self) -> bool:
        return self.reason is not None or self.state.step >= self.settings.training_steps

    def turn(self) -> None:
        """Do one step, and report and save where that is due."""
        settings, told = self.settings, self.listeners
        self.saved = None
        try:
            done = self._step()
        except Stopped:  # while the model was reading: the step was not begun
            self.reason = told.should_stop()
            if self.metrics is None:
                raise
            self._save("stop")
            return
        step = self.state.step
        is_last = step == settings.training_steps
        wants_save = told.should_save is not None and told.should_save()
        is_due = bool(settings.checkpoint_every) and step % settings.checkpoint_every == 0
        self.reason = None if is_last else told.should_stop()
        saves = is_last or is_due or wants_save or self.reason is not None
        if saves or step == 1 or step % settings.log_every == 0:
            self._take_metrics(done)
        if is_last or self.reason:
            self._save("final" if is_last else "stop")
        elif saves:
            self._save("request" if wants_save else "interval")

    def outcome(self) -> TrainingOutcome:
        """Return how the run ended, with a checkpoint of its last step."""
        saved = self.saved or self._save("final")
        seconds = time.perf_counter() - self.began
        tokens = (self.state.step - self.first_step) * self.settings.batch_size
        return TrainingOutcome(
            status="completed" if self.reason is None else "stopped",
            step=self.state.step,
            checkpoint=saved,
            tokens_per_second=tokens / max(seconds, 1e-9),
            seconds=seconds,
            reason=self.reason,
        )

    def _step(self) -> _Step:
        state, settings = self.state, self.settings
        batch = self._load_batch(state.step)
        rate = learning_rate_at(state.step, settings, state.weights.d_sae)
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        dead = self.dead.find(state.tokens_since_fired_F, state.step)
        progress = (state.step + 1) / settings.training_steps
        parts = batch.parts(settings.gradient_accumulation)
        losses = accumulate(self.objective, state.weights, parts, dead, progress)
        if self.device.type == "cpu" or state.step % settings.log_every == 0:
            self._check_finite(losses, batch)
        state.weights.project_decoder_gradient()
        limit = settings.gradient_clip or math.inf
        parameters = list(state.weights.parameters())
        gradient_norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
        state.optimiser.step()
        state.weights.constrain()
        state.tokens_since_fired_F += len(batch)
        state.tokens_since_fired_F.masked_fill_(losses.fired_F, 0)
        state.step += 1
        return _Step(losses, batch, gradient_norm, rate)

    def _load_batch(self, step: int) -> Batch:
        inputs, targets = self.batches.batch(step)
        input_BD = self.state.read.apply(inputs.to(self.device, non_blocking=True))
        if targets is inputs:
            return Batch(input_BD, input_BD)
        target_BD = self.state.written.apply(targets.to(self.device, non_blocking=True))
        return Batch(input_BD, target_BD)

    def _check_finite(self, losses: StepLosses, batch: Batch) -> None:
        if bool(torch.isfinite(losses.loss)):
            return
        _checked(batch.input_BD)
        _checked(batch.target_BD)
        raise TrainingDiverged(
            f"The loss became {losses.loss.item()} at step {self.state.step + 1}; "
            "use a smaller learning rate."
        )

    def _save(self, reason: Reason) -> CheckpointInfo:
        state, settings = self.state, self.settings
        metrics = self.metrics or self._measure_only()
        k = settings.resolved_k(self.identity.d_model)
        form = fold(state.weights, state.read, state.written, k)
        quality = self.heldout.measure(form, state.smoothed_variance)
        content = CheckpointContent(state, form, self.identity, settings, metrics, quality, reason)
        recorded = None if self.listeners.recorded is None else self.listeners.recorded()
        try:
            self.saved = save_checkpoint(self.folder, content, recorded)
        except Exception:
            if self.listeners.on_save_failed is not None:
                self.listeners.on_save_failed()
            raise
        self.listeners.on_checkpoint(self.saved)
        return self.saved

    def _measure_only(self) -> StepMetrics:
        """Measure on the last batch without a step, for a run that had none left to do."""
        batch = self._load_batch(max(self.state.step - 1, 0))
        dead = torch.empty(0, dtype=torch.int64, device=self.device)
        threshold = {n: b.clone() for n, b in self.state.weights.named_buffers()}
        losses = self.objective.step(self.state.weights, batch, dead, 1.0)
        for name, buffer in self.state.weights.named_buffers():
            buffer.copy_(threshold[name])
        return self._metrics(_Step(losses, batch, losses.loss.new_zeros(()), 0.0))

    def _take_metrics(self, done: _Step) -> None:
        self.metrics = self._metrics(done)
        variance = self.metrics.explained_variance
        self.state.smoothed_variance = smoothed(self.state.smoothed_variance, variance)
        self.listeners.report(self.metrics)

    def _metrics(self, done: _Step) -> StepMetrics:
        now, state, losses = time.perf_counter(), self.state, done.losses
        tokens = (state.step - self.marked_step) * self.settings.batch_size
        seconds = max(now - self.last_mark, 1e-9)
        self.last_mark, self.marked_step = now, state.step
        target_BD = done.batch.target_BD
        spread = (target_BD - target_BD.mean(dim=0)).square().sum().item()
        error = losses.error_BD.square().sum().item()
        return StepMetrics(
            step=state.step,
            loss=losses.loss.item(),
            reconstruction_loss=losses.reconstruction.item(),
            l0=losses.l0.item(),
            explained_variance=1 - error / spread if spread > 0 else 0.0,
            dead_latents=int((state.tokens_since_fired_F >= self.dead_window).sum()),
            learning_rate=done.learning_rate,
            gradient_norm=done.gradient_norm.item(),
            tokens_per_second=tokens / seconds,
            tokens_seen=state.step * self.settings.batch_size,
            auxiliary_loss=losses.auxiliary.item(),
            sparsity_loss=losses.sparsity.item(),
            memory_bytes=memory_bytes(self.device),
            floor_share=floor_share(
                tokens, seconds, self.identity.d_model, self.identity.d_sae, self.product_rate
            ),
            gpu_utilization=gpu_utilization(self.device),
        )


def _checked(rows_ND: torch.Tensor) -> torch.Tensor:
    if not bool(torch.isfinite(rows_ND).all()):
        raise InvalidActivations("The stored activations hold NaN or infinity; extract again.")
    return rows_ND
