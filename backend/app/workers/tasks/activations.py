"""Extraction of activations: tokens first when there are none, then one pass of the model."""

from functools import partial
from uuid import UUID

from app.core.enums import TokenizationStatus
from app.core.paths import activation_dir, model_dir, tokenization_dir
from app.ml.activation_extraction import ActivationStore, TokenStore, extract_activations
from app.ml.language_models import LoadedModel, load_language_model
from app.ml.language_models.acceleration import accelerate, compilers_for
from app.ml.records import Progress, to_json
from app.schemas.events import ExtractionProgress, ExtractionProgressData
from app.services.activation_records import (
    ExtractionPlan,
    mark_tokenization,
    read_plan,
    record_extraction,
)
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.reporting import reporter, should_stop
from app.workers.tasks.resource import resource_id_of
from app.workers.tasks.throttle import Throttle
from app.workers.tasks.tokenizing import TokenizationJob, tokenize

# Tokenising is 50 to 100 times as fast as the model reads.
TOKENIZING_SHARE = 0.05
ENGINES = "cache/engines"


def run_activation_extract(context: JobContext) -> JobOutcome:
    """Fill an activation store; an earlier attempt's whole shards are kept."""
    plan = context.transaction(partial(read_plan, activation_id=resource_id_of(context)))
    start = 0.0
    if not plan.tokenized:
        start = TOKENIZING_SHARE
        _tokenize_first(context, plan)
    folder = context.data_root / activation_dir(plan.activation_id)
    context.raise_if_stopped()
    context.report(start, 1.0, "Loading the model")
    loaded = _load(context, plan.model_id)
    summary = to_json(
        extract_activations(
            loaded,
            _open_tokens(context, plan),
            folder,
            plan.config,
            _Reporter(context, plan.activation_id, start),
            should_stop(context),
        )
    )
    ActivationStore.open(folder)
    context.transaction(
        partial(record_extraction, activation_id=plan.activation_id, summary=summary)
    )
    shown = ("n_tokens", "tokens_per_second", "size_bytes")
    figures = {key: summary[key] for key in shown}
    return JobOutcome(result={**figures, "acceleration": loaded.acceleration})


def _load(context: JobContext, model_id: UUID) -> LoadedModel:
    """Load the model and, where the settings say so, compile it."""
    folder, settings = context.data_root / model_dir(model_id), context.settings
    loaded = load_language_model(folder, device=settings.device)
    engines = context.data_root / ENGINES / str(model_id)
    if compilers := compilers_for(settings.acceleration, loaded.dtype, engines):
        context.report(0, 0, "Compiling the model")
        engines.mkdir(parents=True, exist_ok=True)
        accelerate(loaded, compilers)
    return loaded


def _open_tokens(context: JobContext, plan: ExtractionPlan) -> TokenStore:
    return TokenStore.open(
        context.data_root / tokenization_dir(plan.dataset_id, plan.tokenization_id)
    )


def _tokenize_first(context: JobContext, plan: ExtractionPlan) -> None:
    """Make the store's tokens; whole ones of an earlier attempt are kept."""
    mark = partial(mark_tokenization, tokenization_id=plan.tokenization_id)
    context.transaction(partial(mark, status=TokenizationStatus.RUNNING))
    job = TokenizationJob(plan.tokenization_id, plan.dataset_id, plan.model_id, plan.tokenization)
    try:
        tokenize(context, job, end=TOKENIZING_SHARE)
    except Exception:
        context.transaction(partial(mark, status=TokenizationStatus.ERROR))
        raise
    context.transaction(partial(mark, status=TokenizationStatus.READY))


class _Reporter:
    """Passes progress to the job and, a few times a second, to the room of the extraction."""

    def __init__(self, context: JobContext, activation_id: UUID, start: float) -> None:
        self._context = context
        self._activation_id = activation_id
        self._start = start
        self._report = reporter(context, start=start)
        self._throttle = Throttle()

    def __call__(self, progress: Progress) -> None:
        self._report(progress)
        if not self._throttle.is_due():
            return
        share = progress.done / progress.total if progress.total else 0.0
        left = (progress.total - progress.done) / progress.rate if progress.rate else None
        self._context.publish(
            ExtractionProgress(
                seq=self._context.next_seq(),
                data=ExtractionProgressData(
                    activation_id=self._activation_id,
                    progress=100.0 * (self._start + share * (1.0 - self._start)),
                    n_tokens=int(progress.done),
                    tokens_per_second=progress.rate,
                    estimated_remaining_seconds=left,
                ),
            )
        )
