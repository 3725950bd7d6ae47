"""A sweep over steering strengths, in its own child so that interactive steering stays free."""

import math
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.db.repositories import features
from app.ml.configs import SteeringConfig
from app.ml.configs.sweep import SweepConfig
from app.ml.records import to_json
from app.ml.steering.sweep import run_sweep
from app.ml.steering.sweep_batches import SweepRun
from app.ml.steering.sweep_records import SweepReport
from app.ml.steering.sweep_trials import Contexts, SweptFeature
from app.services.steering_sweeps import put_table
from app.workers.context import JobContext, JobInterrupted, JobOutcome
from app.workers.model_cache import ModelCache
from app.workers.tasks.reporting import reporter, should_stop
from app.workers.tasks.steering import (
    environment,
    load_model,
    make_condition,
    make_edit,
    similarity,
)

N_CONTEXTS = 30
CACHE_BYTES = 1 << 62
"""A child does one job: what it loads stays until it ends."""


def run_steering_sweep(context: JobContext) -> JobOutcome:
    """Try all strengths, choose, compare; the table is stored after every prompt."""
    payload, cache = context.payload, ModelCache(CACHE_BYTES)
    config = SteeringConfig.from_dict(payload["config"])
    context.report(0, 0, "Loading the model")
    loaded = load_model(context, cache)
    run = SweepRun(
        loaded=loaded,
        config=config,
        prompts=payload["prompts"],
        n_samples=payload["sweep"]["n_samples"],
        report=reporter(context),
        should_stop=should_stop(context),
        similarity_of=partial(similarity, cache),
        condition=make_condition(context, cache),
    )
    surroundings = environment(context, loaded, config)
    swept = [_swept_feature(context, cache, place) for place in range(len(payload["edits"]))]

    def store(report: SweepReport) -> None:
        found = context.transaction(partial(_table, payload=payload, report=report))
        table = found | {"environment": surroundings}
        context.transaction(lambda session: put_table(session, context.job_id, table))

    report = run_sweep(run, swept, SweepConfig.from_dict(payload["sweep"]), store)
    store(report)
    summary = {"n_prompts_done": report.n_prompts_done, "seconds": report.seconds}
    action = context.stop_requested()
    if report.stopped and action is not None:
        return JobOutcome(JobInterrupted(action).outcome().state, summary)
    return JobOutcome(result=summary)


def _swept_feature(context: JobContext, cache: ModelCache, place: int) -> SweptFeature:
    asked, other = context.payload["edits"][place], context.payload["matched"][place]
    contexts, words = context.transaction(partial(_read_feature, feature_id=asked["id"]))
    return SweptFeature(
        edit=make_edit(context, cache, asked),
        matched=make_edit(context, cache, other) if other is not None else None,
        matched_name=_shown_name(other) if other is not None else "",
        contexts=contexts,
        words=words,
    )


def _read_feature(session: Session, *, feature_id: int) -> tuple[Contexts, str]:
    row = features.get(session, feature_id)
    examples = features.list_examples(session, feature_id, N_CONTEXTS)
    readable = [example for example in examples if example.token_ids]
    contexts = Contexts(
        [example.token_ids for example in readable], [example.activations for example in readable]
    )
    return contexts, ((row.name or row.label or "") if row is not None else "")


def _shown_name(edit: dict[str, Any]) -> str:
    return f"Compared with #{edit['neuron_index']} {edit['name'] or ''}".strip() + "."


def _table(session: Session, *, payload: dict[str, Any], report: SweepReport) -> dict[str, Any]:
    """The report as the API answers it: with ids, names and units, without what is not finite."""
    table: dict[str, Any] = _finite(to_json(report))
    for asked, swept in zip(payload["edits"], table["features"], strict=True):
        swept |= {key: asked[key] for key in ("id", "neuron_index", "name", "method")}
        swept |= {"layer": asked["at_layer"], "hook_type": asked.get("at_hook_type")}
        for row in (*swept["rows"], *([swept["best"]] if swept["best"] else [])):
            row["unit"] = asked["unit"] if row["kl_target"] is None else "activation"
        _name_effects(session, asked["id"], swept["side_effects"])
    return table


def _name_effects(session: Session, feature_id: int, effects: list[dict[str, Any]]) -> None:
    own = features.get(session, feature_id)
    indices = [effect["neuron_index"] for effect in effects]
    rows = features.by_index(session, own.training_id, indices) if own is not None else {}
    for effect in effects:
        row = rows.get(effect["neuron_index"])
        effect["feature_id"] = row.id if row is not None else None
        effect["name"] = (row.name or row.label) if row is not None else None


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
