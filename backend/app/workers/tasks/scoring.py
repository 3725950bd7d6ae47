"""Output and input score of all features of a training, stored block by block."""

from collections.abc import Mapping, Sequence
from functools import partial

from app.db.repositories import feature_scores
from app.ml.configs import ScoringConfig
from app.ml.feature_discovery.reading import token_texts
from app.ml.language_models import load_language_model
from app.ml.records import to_json
from app.ml.sae_training import load_sae
from app.ml.steering.edits import written_hook_type
from app.ml.steering.feature_scores import (
    FeatureScores,
    OutputScorer,
    Place,
    ScoringSummary,
    score_features,
)
from app.services.feature_scoring import (
    ScoringPlan,
    forget_scores,
    put_scores,
    read_scoring_plan,
)
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.reporting import reporter, should_stop
from app.workers.tasks.resource import resource_id_of


def run_feature_score(context: JobContext) -> JobOutcome:
    """Score what this job has not scored yet; stopped or killed it keeps what is stored."""
    training_id = resource_id_of(context)
    read = partial(read_scoring_plan, training_id=training_id, job_id=context.job_id)
    plan = context.transaction(read)
    config = ScoringConfig.from_dict(context.payload["config"])
    context.report(0, 0, "Loading the model")
    scorer = _make_scorer(context, plan, config)
    if not plan.done:
        context.transaction(partial(forget_scores, training_id=training_id))

    def peaks_of(indices: Sequence[int]) -> Mapping[int, Sequence[int]]:
        ids = {plan.ids[index]: index for index in indices}
        find = partial(feature_scores.peak_tokens, feature_ids=list(ids), limit=config.contexts)
        found = context.transaction(find)
        return {ids[feature_id]: tokens for feature_id, tokens in found.items()}

    def store(block: list[FeatureScores], summary: ScoringSummary) -> None:
        run = {"job_id": str(context.job_id), **config.to_dict(), **to_json(summary)}
        scores = [to_json(entry) for entry in block]
        context.transaction(partial(put_scores, ids=plan.ids, scores=scores, run=run))

    text_of, _ = token_texts(scorer.loaded)
    summary = score_features(
        scorer,
        list(plan.ids),
        plan.done,
        peaks_of,
        text_of,
        store,
        reporter(context),
        should_stop(context),
    )
    return JobOutcome(result={"n_features": len(plan.ids), **to_json(summary)})


def _make_scorer(context: JobContext, plan: ScoringPlan, config: ScoringConfig) -> OutputScorer:
    root, device = context.data_root, context.settings.device
    loaded = load_language_model(root / plan.model, device=device)
    sae = load_sae(root / plan.sae, str(loaded.device))
    writes = written_hook_type(root / plan.sae) or plan.hook_type
    return OutputScorer(loaded, sae, Place(plan.layer, plan.hook_type, writes), config)
