"""Discovery of a training's features: one pass over its activations, then a bulk load."""

from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy.orm import Session

from app.core.enums import JobAction
from app.core.paths import checkpoint_dir
from app.ml.activation_extraction import ActivationStore, TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.errors import Stopped
from app.ml.feature_discovery import DiscoveryResult, discard_discovery, discover_features
from app.ml.language_models import load_language_model
from app.ml.records import Progress, to_json
from app.services.feature_records import (
    DiscoveryPlan,
    EncodeContext,
    read_discovery_plan,
    replace_features,
)
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.reporting import reporter, should_stop
from app.workers.tasks.resource import resource_id_of

PASS_SHARE = 0.6
DESCRIBED_SHARE = 0.7
LOADED_PER_REPORT = 500


def run_feature_extract(context: JobContext) -> JobOutcome:
    """Measure all features of a checkpoint and load them in the place of earlier ones."""
    read = partial(
        read_discovery_plan,
        training_id=resource_id_of(context),
        step=context.payload["checkpoint_step"],
    )
    plan = context.transaction(read)
    root = context.data_root
    config = DiscoveryConfig.from_dict(context.payload["config"])
    context.report(0, 1, "Loading the model")
    scratch, key = root / "cache" / "discovery", str(context.job_id)
    try:
        with discover_features(
            root / checkpoint_dir(plan.training_id, plan.step),
            ActivationStore.open(root / plan.files.store),
            TokenStore.open(root / plan.files.tokens),
            load_language_model(root / plan.files.model, device=context.settings.device),
            plan.layer,
            plan.hook_type,
            config,
            _reporter(context),
            should_stop(context),
            scratch_dir=scratch,
            resume_key=key,
        ) as found:
            load = partial(_load, context=context, plan=plan, found=found)
            n_examples = context.transaction(load)
    except Stopped:
        if context.stop_requested() is not JobAction.PAUSE:  # nobody will continue it
            discard_discovery(scratch, key)
        raise
    return JobOutcome(result={**to_json(found.summary), "n_examples": n_examples})


def _reporter(context: JobContext) -> Callable[[Progress], None]:
    """Two phases: tokens are read, then features are described."""
    reading = reporter(context, end=PASS_SHARE)
    describing = reporter(context, start=PASS_SHARE, end=DESCRIBED_SHARE)

    def report(progress: Progress) -> None:
        (reading if progress.unit == "tokens" else describing)(progress)

    return report


def _load(
    session: Session, *, context: JobContext, plan: DiscoveryPlan, found: DiscoveryResult
) -> int:
    summary = found.summary
    discovery = {
        "n_tokens": summary.n_tokens,
        "n_co_firing_tokens": summary.n_co_firing_tokens,
        "checkpoint_step": plan.step,
        "discovery": context.payload["config"],
        "facts": {
            "layout": summary.layout,
            "embedder": summary.embedder,
            "token_counts_exact": summary.token_counts_exact,
        },
    }
    return replace_features(
        session,
        plan.training_id,
        records=(to_json(record) for record in found.features),
        layer=plan.layer,
        discovery=discovery,
        words=((record.index, word) for record in found.features for word in record.words()),
        contexts=partial(_contexts, context, found),
    )


def _contexts(
    context: JobContext, found: DiscoveryResult, encode: EncodeContext
) -> Iterator[bytes]:
    """Rows of all contexts, made as the database takes them."""
    total = len(found.features)
    for index, rows in enumerate(found.encoded_contexts(encode)):
        if index % LOADED_PER_REPORT == 0:
            context.raise_if_stopped()
            share = DESCRIBED_SHARE + (1 - DESCRIBED_SHARE) * index / total
            context.report(share, 1.0, f"Storing features: {index:,} of {total:,}")
        yield rows
