"""Where a run begins: the newest whole checkpoint that has a row."""

import logging
import re
from functools import partial
from pathlib import Path

from app.core.paths import checkpoint_dir, training_dir
from app.ml.errors import CheckpointInvalid
from app.ml.files import remove_folder
from app.ml.sae_training import verify_checkpoint
from app.services import counters
from app.services.counters import Count
from app.services.training_records import RunPlan, start_from, step_of
from app.workers.context import JobContext

logger = logging.getLogger(__name__)


def clean_start(context: JobContext, plan: RunPlan) -> tuple[Path | None, list[int]]:
    """Find the checkpoint to go on from, and remove what lies after it.

    Returns:
        Its folder (None: from the start), and the steps of damaged ones that were passed over.

    The rows decide: a folder without a row is of a branch that was left by loading an earlier
    checkpoint, or was written just before the process died. A row without a folder is of an old
    checkpoint that was dropped for a newer one just before that.
    """
    root = context.data_root
    folder, found = None, 0
    damaged = []
    for step in plan.checkpoints:
        candidate = root / checkpoint_dir(plan.training_id, step)
        try:
            verify_checkpoint(candidate)
        except CheckpointInvalid as error:
            logger.warning("checkpoint passed over", extra={"step": step, "reason": str(error)})
            damaged.append(step)
            counters.add(Count.CHECKPOINTS_DAMAGED)
            continue
        folder, found = candidate, step
        break
    own = root / training_dir(plan.training_id)
    dropped = [step for step in plan.checkpoints if not (own / f"step_{step}").exists()]
    if damaged:
        text = f"The checkpoint of step {damaged[0]} is damaged; going on from step {found}"
        context.report(found, plan.config.training_steps, text, unit="steps")
    start = partial(start_from, training_id=plan.training_id, step=found, dropped=dropped)
    context.transaction(start)
    for path in own.glob("step_*"):
        if re.fullmatch(r"step_\d+", path.name) and step_of(path) > found:
            remove_folder(path)
    return folder, damaged
