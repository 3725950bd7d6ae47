"""Measuring a training's latest checkpoint on held-out documents, as a job of its own."""

from functools import partial

from app.core.enums import ErrorCode
from app.core.errors import AppError
from app.core.paths import checkpoint_dir
from app.ml.activation_extraction import ActivationStore
from app.services.training_records import read_plan
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.resource import resource_id_of
from app.workers.tasks.training import evaluate_checkpoint


class NothingToMeasure(AppError):
    code = ErrorCode.NOT_READY
    status = 409


def run_training_evaluate(context: JobContext) -> JobOutcome:
    plan = context.transaction(partial(read_plan, training_id=resource_id_of(context)))
    if not plan.checkpoints:
        raise NothingToMeasure("The training has no checkpoint yet. Let it train first.")
    step = plan.checkpoints[0]
    store = ActivationStore.open(context.data_root / plan.files.store)
    folder = context.data_root / checkpoint_dir(plan.training_id, step)
    evaluate_checkpoint(context, plan, store, folder)
    context.raise_if_stopped()
    return JobOutcome(result={"step": step})
