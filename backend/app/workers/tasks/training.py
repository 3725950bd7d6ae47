"""One run of a training: from the latest checkpoint to the end, then the held-out figures."""

from functools import partial
from pathlib import Path
from typing import Any

from app.core.enums import JobAction
from app.core.paths import training_dir
from app.ml.activation_extraction import ActivationStore, TokenStore
from app.ml.errors import Stopped
from app.ml.language_models import load_language_model
from app.ml.records import TrainingOutcome, to_json
from app.ml.sae_training import ModelStream, evaluate_sae, train
from app.ml.sae_training.evaluation import MIN_HELDOUT_ROWS
from app.services.evaluation_figures import evaluation_json
from app.services.training_records import (
    RunPlan,
    read_plan,
    record_evaluation,
)
from app.services.training_runs import WITHOUT_EVALUATION
from app.workers.context import JobContext, JobInterrupted, JobOutcome
from app.workers.tasks.reporting import reporter
from app.workers.tasks.resource import resource_id_of
from app.workers.tasks.training_reporter import (
    EVALUATION_SHARE,
    TrainingReporter,
    count_failed_save,
)
from app.workers.tasks.training_start import clean_start


def run_training(context: JobContext) -> JobOutcome:
    """Train, save, measure. Every run may die at any moment: the next goes on from its files."""
    plan = context.transaction(partial(read_plan, training_id=resource_id_of(context)))
    context.report(0, 0, "Opening the activations")
    store = ActivationStore.open(context.data_root / plan.files.store)
    resume_from, damaged = clean_start(context, plan)
    stream = _open_stream(context, plan) if plan.config.source == "stream" else None
    progress = TrainingReporter(context, plan)
    progress.starts_from(resume_from)
    outcome = train(
        store,
        plan.layer,
        plan.hook_type,
        plan.encoder_type,
        plan.config,
        context.data_root / training_dir(plan.training_id),
        report=progress.on_metrics,
        should_stop=context.stop_requested,
        on_checkpoint=progress.on_checkpoint,
        resume_from=resume_from,
        should_save=progress.should_save,
        on_save_failed=count_failed_save,
        recorded=progress.recorded,
        device=context.settings.device,
        stream=stream,
    )
    progress.write_rows()
    context.flush()
    return _finish(context, plan, store, outcome, damaged)


def _open_stream(context: JobContext, plan: RunPlan) -> ModelStream:
    context.report(0, 0, "Loading the model that reads the tokens")
    return ModelStream(
        load_language_model(context.data_root / plan.files.model, device=context.settings.device),
        TokenStore.open(context.data_root / plan.files.tokens),
    )


def _finish(
    context: JobContext,
    plan: RunPlan,
    store: ActivationStore,
    outcome: TrainingOutcome,
    damaged: list[int],
) -> JobOutcome:
    stopped = outcome.status == "stopped"
    if stopped and context.stop_requested() is not JobAction.STOP:
        context.raise_if_stopped()
    result: dict[str, Any] = {
        "step": outcome.step,
        "tokens_per_second": outcome.tokens_per_second,
    }
    if damaged:
        result["damaged_checkpoints"] = damaged
    if not context.payload.get(WITHOUT_EVALUATION):
        evaluate_checkpoint(context, plan, store, outcome.checkpoint.path)
    return JobOutcome("stopped" if stopped else "succeeded", result)


def evaluate_checkpoint(
    context: JobContext,
    plan: RunPlan,
    store: ActivationStore,
    sae_path: Path,
    *,
    part: tuple[float, float] = (0.0, 1.0),
) -> None:
    """Measure the last checkpoint on held-out documents, if the store has any.

    Args:
        context: The running job.
        plan: What was trained.
        store: Has the held-out rows.
        sae_path: The checkpoint.
        part: Of the job's measuring, where several dictionaries are measured.
    """
    if store.n_heldout_rows < MIN_HELDOUT_ROWS:
        return
    start, end = (1 - EVALUATION_SHARE * (1 - share) for share in part)
    context.report(start, 1.0, "Measuring on held-out documents")
    loaded = load_language_model(
        context.data_root / plan.files.model, device=context.settings.device
    )
    try:
        evaluation = evaluate_sae(
            sae_path,
            store,
            loaded,
            TokenStore.open(context.data_root / plan.files.tokens),
            plan.layer,
            plan.hook_type,
            reporter(context, start=start, end=end),
            partial(_is_abandoned, context),
            max_ce_windows=plan.config.evaluation_windows,
            keep_firing=True,
        )
    except Stopped:
        raise JobInterrupted(context.stop_requested() or JobAction.CANCEL) from None
    figures = evaluation_json(to_json(evaluation))
    context.transaction(
        partial(record_evaluation, training_id=plan.training_id, evaluation=figures)
    )


def _is_abandoned(context: JobContext) -> bool:
    """A stop still wants its figures; a pause or a cancel does not."""
    return context.stop_requested() in {JobAction.PAUSE, JobAction.CANCEL}
