"""One run of several trainings: they read the same batches, and each keeps its own files."""

from functools import partial
from typing import Any

from app.core.enums import ErrorCode, JobAction
from app.core.paths import training_dir
from app.ml.activation_extraction import ActivationStore
from app.ml.errors import TrainingDiverged
from app.ml.records import StepMetrics, TrainingOutcome
from app.ml.sae_training import GridListeners, TrainingJob, train_many
from app.schemas.events import TrainingError, TrainingErrorData
from app.services.training_grids import read_plans, record_failure
from app.services.training_records import RunPlan
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.training import evaluate_checkpoint
from app.workers.tasks.training_reporter import (
    EVALUATION_SHARE,
    TrainingReporter,
    count_failed_save,
)
from app.workers.tasks.training_start import clean_start


def run_training_grid(context: JobContext) -> JobOutcome:
    """Train, save, measure. As ``run_training``, it goes on from what it finds on disk."""
    plans = context.transaction(partial(read_plans, job_id=context.job_id))
    context.report(0, 0, "Opening the activations")
    store = ActivationStore.open(context.data_root / plans[0].files.store)
    grid = _Grid(context, plans)
    outcomes = train_many(store, grid.jobs(), grid.listeners(), device=context.settings.device)
    grid.write_rows()
    return _finish(context, store, list(zip(plans, outcomes, strict=True)))


class _Grid:
    """Hands what each dictionary reports to its own reporter, and adds up their progress."""

    def __init__(self, context: JobContext, plans: list[RunPlan]) -> None:
        self._context, self._plans = context, plans
        self._reporters = [TrainingReporter(context, p, shows_progress=False) for p in plans]
        self._steps = [0] * len(plans)
        self._rates = [0.0] * len(plans)

    def jobs(self) -> list[TrainingJob]:
        return [self._job(*one) for one in zip(self._plans, self._reporters, strict=True)]

    def _job(self, plan: RunPlan, reporter: TrainingReporter) -> TrainingJob:
        resume_from, _ = clean_start(self._context, plan)
        reporter.starts_from(resume_from)
        return TrainingJob(
            plan.layer,
            plan.hook_type,
            plan.encoder_type,
            plan.config,
            self._context.data_root / training_dir(plan.training_id),
            resume_from,
        )

    def listeners(self) -> GridListeners:
        return GridListeners(
            report=self._on_metrics,
            should_stop=self._context.stop_requested,
            on_checkpoint=lambda number, info: self._reporters[number].on_checkpoint(info),
            on_failure=self._on_failure,
            should_save=lambda number: self._reporters[number].should_save(),
            on_save_failed=count_failed_save,
            recorded=lambda number: self._reporters[number].recorded(),
        )

    def write_rows(self) -> None:
        for reporter in self._reporters:
            reporter.write_rows()
        self._context.flush()

    def _on_metrics(self, number: int, metrics: StepMetrics) -> None:
        self._reporters[number].on_metrics(metrics)
        self._steps[number], self._rates[number] = metrics.step, metrics.tokens_per_second
        batch = self._plans[0].config.batch_size
        total = sum(plan.config.training_steps for plan in self._plans)
        longest = max(plan.config.training_steps for plan in self._plans)
        self._context.report(
            sum(self._steps) * batch,
            total * batch / (1 - EVALUATION_SHARE),
            f"Step {max(self._steps):,} of {longest:,}, {len(self._plans)} dictionaries",
            unit="tokens",
            rate=sum(self._rates),
        )

    def _on_failure(self, number: int, error: TrainingDiverged) -> None:
        training_id, message = self._plans[number].training_id, str(error)
        self._steps[number], self._rates[number] = self._plans[number].config.training_steps, 0.0
        self._reporters[number].write_rows()
        self._context.flush()
        self._context.transaction(partial(record_failure, training_id=training_id, message=message))
        failure = TrainingErrorData(
            training_id=training_id, code=ErrorCode.TRAINING_DIVERGED, message=message
        )
        self._context.publish(TrainingError(seq=self._context.next_seq(), error=failure))


def _finish(
    context: JobContext,
    store: ActivationStore,
    ended: list[tuple[RunPlan, TrainingOutcome | None]],
) -> JobOutcome:
    whole = [(plan, outcome) for plan, outcome in ended if outcome is not None]
    stopped = any(outcome.status == "stopped" for _, outcome in whole)
    if stopped and context.stop_requested() is not JobAction.STOP:
        context.raise_if_stopped()
    for number, (plan, outcome) in enumerate(whole):
        part = (number / len(whole), (number + 1) / len(whole))
        evaluate_checkpoint(context, plan, store, outcome.checkpoint.path, part=part)
    result: dict[str, Any] = {
        "trainings": [
            {"training_id": str(plan.training_id), "step": outcome.step} for plan, outcome in whole
        ],
        "diverged": [str(plan.training_id) for plan, outcome in ended if outcome is None],
        "tokens_per_second": min(outcome.tokens_per_second for _, outcome in whole),
    }
    return JobOutcome("stopped" if stopped else "succeeded", result)
