"""Stored contexts recomputed from model and dictionary."""

from functools import partial

from app.core.paths import checkpoint_dir
from app.ml.activation_extraction import TokenStore
from app.ml.feature_discovery.audit import audit_examples
from app.ml.language_models import load_language_model
from app.ml.sae_training import load_sae
from app.services import feature_audit
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.resource import resource_id_of

AT_ONCE = 10


def run_feature_audit(context: JobContext) -> JobOutcome:
    """Recompute random contexts; writes nothing but the job's result."""
    training_id, payload, root = resource_id_of(context), context.payload, context.data_root
    plan = context.transaction(partial(feature_audit.read_audit_plan, training_id=training_id))
    choose = partial(
        feature_audit.choose_examples,
        training_id=training_id, n=payload["examples"], seed=payload["seed"],
    )  # fmt: skip
    chosen = context.transaction(choose)
    context.report(0, 0, "Loading the model")
    loaded = load_language_model(root / plan.files.model, device=context.settings.device)
    sae = load_sae(root / checkpoint_dir(training_id, plan.step), str(loaded.device))
    tokens = TokenStore.open(root / plan.files.tokens)
    largest, wrong = 0.0, []
    for start in range(0, len(chosen), AT_ONCE):
        context.raise_if_stopped()
        message = f"Recomputing contexts: {start} of {len(chosen)}"
        context.report(start, len(chosen), message, unit="contexts")
        block = chosen[start : start + AT_ONCE]
        found = audit_examples(
            loaded, sae, tokens, (plan.layer, plan.hook_type),
            [audited.example for audited in block],
            {audited.example.feature: audited.max_activation for audited in block},
            tolerance=payload["tolerance"],
        )  # fmt: skip
        largest = max(largest, found.largest_error)
        wrong += feature_audit.differences(block, found.wrong)
    return JobOutcome(
        result={
            "n_checked": len(chosen),
            "n_wrong": len(wrong),
            "wrong": wrong,
            "largest_error": largest,
            "tolerance": payload["tolerance"],
            "checkpoint_step": plan.step,
        }
    )
