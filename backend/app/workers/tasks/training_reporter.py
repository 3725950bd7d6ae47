"""From the points of a training loop to rows and events, without making the loop wait."""

import dataclasses
import math
import time
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.core.enums import TrainingStatus
from app.ml.records import CheckpointInfo, StepMetrics, to_json
from app.schemas.events import TrainingProgress, TrainingProgressData
from app.services import counters
from app.services.checkpoint_service import save_requests_in
from app.services.counters import Count
from app.services.training_records import RunPlan, record_checkpoint, record_metrics, step_of
from app.workers.context import JobContext
from app.workers.tasks.throttle import Throttle

ROW_INTERVAL_SECONDS = 1.0
# The held-out measurement after the last step takes about this share of a run.
EVALUATION_SHARE = 0.03


class TrainingReporter:
    """Batches metric rows, sends progress a few times a second, notices wishes for a checkpoint.

    Args:
        context: The running job.
        plan: What it trains.
        shows_progress: Whether the job's progress is that of this training.
    """

    def __init__(self, context: JobContext, plan: RunPlan, *, shows_progress: bool = True) -> None:
        self._context = context
        self._shows_progress = shows_progress
        self._plan = plan
        self._rows: list[dict[str, Any]] = []
        self._points: list[dict[str, Any]] = []
        # As the job was when it became one that can be asked: what came later is still to be done.
        self._saves_wanted = self._saves_done = save_requests_in(context.payload)
        self._recorded: int | None = None
        self._last_rows = time.monotonic()
        self._events = Throttle()

    def starts_from(self, checkpoint: Path | None) -> None:
        """Say which checkpoint the run goes on from; it has a row."""
        self._recorded = None if checkpoint is None else step_of(checkpoint)

    def recorded(self) -> int | None:
        """Step of the newest checkpoint whose row is committed.

        Rows are written behind the run, however long the database is away. Until a newer one has
        its row, a run that dies goes on from this one, so its files must stay.
        """
        return self._recorded

    def on_metrics(self, metrics: StepMetrics) -> None:
        """Take a point of the curve."""
        point = _point_of(metrics)
        self._rows.append({"training_id": self._plan.training_id, **point})
        self._points.append(point)
        total = self._plan.config.training_steps
        tokens_left = (total - metrics.step) * self._plan.config.batch_size
        seconds = tokens_left / metrics.tokens_per_second if metrics.tokens_per_second else None
        if self._shows_progress:
            self._context.report(
                metrics.step * self._plan.config.batch_size,
                total * self._plan.config.batch_size / (1 - EVALUATION_SHARE),
                f"Step {metrics.step:,} of {total:,}",
                unit="tokens",
                rate=metrics.tokens_per_second,
            )
        if self._events.is_due() or metrics.step == total:
            self._send(metrics.step, point, seconds)
        self._write_rows_when_due()

    def on_checkpoint(self, info: CheckpointInfo) -> None:
        """Record a checkpoint after the metrics before it."""
        counters.add(Count.CHECKPOINT_SAVES)
        counters.add(Count.CHECKPOINT_SECONDS, info.seconds or 0.0)
        counters.add(Count.CHECKPOINT_BYTES, info.size_bytes)
        self.write_rows()
        self._context.write_later(
            partial(
                record_checkpoint,
                training_id=self._plan.training_id,
                info=to_json(info),
                removed_steps=[step_of(path) for path in info.removed],
            )
        )
        self._context.write_later(partial(self._is_recorded, info.step))

    def should_save(self) -> bool:
        """Whether somebody asked for a checkpoint since the last one of that kind."""
        self._write_rows_when_due()
        if self._saves_wanted <= self._saves_done:
            return False
        self._saves_done = self._saves_wanted
        return True

    def write_rows(self) -> None:
        """Hand the rows to the background writer, which also looks for wishes."""
        rows, self._rows = self._rows, []
        self._last_rows = time.monotonic()

        def work(session: Session) -> None:
            self._saves_wanted = record_metrics(
                session, self._plan.training_id, self._context.job_id, rows
            )

        self._context.write_later(work)

    def _is_recorded(self, step: int, _: Session) -> None:
        """Units of work run in order: when this one runs, the row before it is committed."""
        self._recorded = step

    def _write_rows_when_due(self) -> None:
        if time.monotonic() - self._last_rows >= ROW_INTERVAL_SECONDS:
            self.write_rows()

    def _send(self, step: int, point: dict[str, Any], seconds: float | None) -> None:
        points, self._points = self._points, []
        total = self._plan.config.training_steps
        data = TrainingProgressData(
            training_id=self._plan.training_id,
            status=TrainingStatus.TRAINING,
            step=step,
            total_steps=total,
            progress=100.0 * (1 - EVALUATION_SHARE) * step / total,
            metrics={key: value for key, value in point.items() if key != "step"},
            points=points,
            estimated_remaining_seconds=seconds,
        )
        self._context.publish(TrainingProgress(seq=self._context.next_seq(), data=data))


def count_failed_save() -> None:
    counters.add(Count.CHECKPOINT_FAILURES)


def _point_of(metrics: StepMetrics) -> dict[str, Any]:
    """A row of ``training_metrics``; what is no number is left empty."""
    values = dataclasses.asdict(metrics)
    point = {
        "step": metrics.step,
        "loss": values["loss"],
        "sparsity": values["l0"],
        "reconstruction_error": values["reconstruction_loss"],
        "dead_neurons": values["dead_latents"],
        "explained_variance": values["explained_variance"],
        "learning_rate": values["learning_rate"],
        "grad_norm": values["gradient_norm"],
        "tokens_per_second": values["tokens_per_second"],
        "memory_used_bytes": values["memory_bytes"],
        "gpu_utilization": values["gpu_utilization"],
        "floor_share": values["floor_share"],
    }
    return {key: _finite(value) for key, value in point.items()}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
