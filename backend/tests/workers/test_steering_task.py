"""A steering job's task on a real model: what it answers, sends, keeps, and what is exported."""

from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import numpy as np
import pytest
from safetensors.numpy import load

from app.core.config import Settings
from app.ml.errors import NoEffect
from app.schemas.events import SteeringStarted, SteeringTokens
from app.schemas.steering import SteeringResult
from app.services import steering_runs, steering_service
from app.services.job_waiting import JobCancelled
from app.services.steering_export import NotExportable
from app.services.steering_runs import _ADDED_LATER, find_differences, fingerprint
from app.workers.context import JobContext, JobInterrupted
from app.workers.tasks.steering import handle
from tests.workers.steering_runs import (
    CACHE,
    Context,
    conditional,
    edit,
    exported,
    lay_out,
    payload,
    run,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("data"))


def test_the_answer_has_the_documented_shape(root: Path) -> None:
    outcome, context, _ = run(root, payload(edit(3), edit(4, method="clamp", coefficient=9.0)))
    assert outcome.state == "succeeded"
    result = SteeringResult(job_id=context.job_id, **(outcome.result or {}))
    first, second = result.features
    assert first.strength_in_activation_units == 20
    assert first.strength_in_max_multiples == 4
    assert second.achieved_max == pytest.approx(9, rel=0.3)
    assert result.proof.first_differing_logit is not None
    assert result.proof.positions_changed > 0
    assert all(metric.definition for metric in result.metrics)
    keys = {metric.key for metric in result.metrics}
    assert {"kl_p50", "repeated_3_steered", "promoted_share_steered", "first_divergence"} <= keys
    assert result.prompt_tokens[0].steered is False
    assert result.diff[-1].steered[1] == len(result.steered_output.tokens)
    assert result.environment.dictionaries != "gone"
    assert len(result.environment.weights) == 16
    assert not any("similarity was left out" in warning for warning in result.warnings)


def test_an_empty_text_is_not_taken_for_a_missing_program(root: Path) -> None:
    whole, _, _ = run(root, payload())
    first = (whole.result or {})["steered_output"]["text"][0]
    cut, _, _ = run(root, payload(stop=(first,)))
    assert cut.result is not None
    assert cut.result["steered_output"]["text"] == ""
    [note] = cut.result["notes"]
    assert "one of the texts is empty" in note


def test_tokens_are_sent_as_deltas(root: Path) -> None:
    outcome, context, _ = run(root, payload())
    started, *steps = context.events
    assert isinstance(started, SteeringStarted)
    assert started.rooms() == [f"job:{context.job_id}"]
    assert sum(token.steered for token in started.data.prompt_tokens) > 0
    result = SteeringResult(job_id=context.job_id, **(outcome.result or {}))
    for branch, output in (
        ("unsteered", result.unsteered_output),
        ("steered", result.steered_output),
    ):
        sent = [
            token
            for event in steps
            if isinstance(event, SteeringTokens)
            for token in event.data.tokens
            if token.branch == branch
        ]
        assert "".join(token.text for token in sent) == output.text
        assert [token.index for token in sent] == list(range(12))
        assert [token.kl for token in sent] == [token.kl for token in output.tokens]
        assert [t.read_activations for t in sent[1:]] == [t.activations for t in output.tokens[:-1]]


def test_a_cancelled_run_keeps_the_text_so_far(root: Path) -> None:
    whole, _, _ = run(root, payload())
    outcome, _, kept = run(root, payload(), stop_after=4)
    assert outcome.state == "cancelled"
    assert outcome.result is not None
    assert whole.result is not None
    partial = outcome.result["steered_output"]["tokens"]
    assert [t["token_id"] for t in partial] == [
        t["token_id"] for t in whole.result["steered_output"]["tokens"][:4]
    ]
    assert outcome.result["stopped"]
    assert outcome.result["steered_output"]["ended"] == "stopped"
    assert kept.result["stopped"]


def test_a_cancelled_run_is_repeated_as_far_as_it_came(root: Path) -> None:
    (one, _, _), (two, _, _) = run(root, payload(), stop_after=4), run(root, payload())
    cut, whole = (SteeringResult(job_id=uuid4(), **(o.result or {})) for o in (one, two))
    assert find_differences(cut, whole) == []
    other = whole.model_copy(deep=True)
    other.steered_output.tokens[3].token_id += 1
    [difference] = find_differences(cut, other)
    assert (difference.branch, difference.index) == ("steered", 3)
    # The other way round something is missing.
    assert [d.index for d in find_differences(whole, cut)] == [4, 4]


def test_a_replay_that_was_cancelled_says_nothing_about_the_texts(
    root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, kept = run(root, payload())
    cut, _, _ = run(root, payload(), stop_after=4)
    answer = SteeringResult(job_id=uuid4(), **(cut.result or {}))
    monkeypatch.setattr(steering_runs, "require_run", lambda *_: kept)
    monkeypatch.setattr(steering_service, "check_files", lambda *_: None)
    monkeypatch.setattr(steering_service, "run_payload", lambda *_: answer)
    with pytest.raises(JobCancelled, match="replay once more"):
        steering_runs.replay(cast(Any, None), settings, kept.id, lambda: False)


def test_a_run_cancelled_before_its_first_token_is_just_cancelled(root: Path) -> None:
    context = Context(root, payload(), stop_after=0)
    with pytest.raises(JobInterrupted):
        handle(cast(JobContext, context), CACHE)
    assert context.rows.run is None


def test_the_same_request_gives_the_same_fingerprint_and_text(root: Path) -> None:
    (one, _, first), (two, _, second) = run(root, payload()), run(root, payload())
    assert first.fingerprint == second.fingerprint
    then, now = (SteeringResult(job_id=uuid4(), **(o.result or {})) for o in (one, two))
    assert find_differences(then, now) == []
    other, _, third = run(root, payload(edit(3, coefficient=-20.0)))
    assert third.fingerprint != first.fingerprint
    [difference] = find_differences(then, SteeringResult(job_id=uuid4(), **(other.result or {})))
    assert difference.branch == "steered"
    assert difference.then != difference.now
    other_weights = first.environment | {"weights": "0" * 16}
    assert fingerprint(payload(), other_weights) != first.fingerprint
    renamed = payload(edit(3, name="mine", id=7))
    assert fingerprint(renamed, first.environment) == first.fingerprint
    # A run of a version that knew no window has the id that it had then.
    earlier = payload()
    earlier["config"] = {k: v for k, v in earlier["config"].items() if k not in _ADDED_LATER}
    full = payload(window=(), token_ids=(), mode="delta")
    assert fingerprint(earlier, first.environment) == fingerprint(full, first.environment)
    limited = payload(window=(2, 3))
    assert fingerprint(limited, first.environment) != first.fingerprint


def test_a_condition_is_answered_repeated_and_counted(root: Path) -> None:
    one, context, first = run(root, conditional(threshold=2.0))
    result = SteeringResult(job_id=context.job_id, **(one.result or {}))
    condition = result.condition
    assert condition is not None
    assert (condition.feature_id, condition.layer, condition.threshold) == (105, 1, 2.0)
    assert 0 < condition.positions_met < condition.positions_read
    assert result.proof.positions_touched == condition.positions_met
    steered = sum(token.steered for token in result.prompt_tokens)
    assert steered == result.proof.prompt_positions_touched
    assert (condition.largest_activation or 0) > 2.0
    two, _, second = run(root, first.payload)
    assert second.fingerprint == first.fingerprint
    assert find_differences(result, SteeringResult(job_id=uuid4(), **(two.result or {}))) == []
    _, _, lower = run(root, conditional(threshold=1.0))
    assert lower.fingerprint != first.fingerprint
    named = first.payload | {"condition": first.payload["condition"] | {"name": "x", "id": 1}}
    assert fingerprint(named, first.environment) == first.fingerprint
    with pytest.raises(NoEffect, match="at most over the"):
        run(root, conditional(threshold=1e4))
    for file_format in ("gguf", "python"):
        with pytest.raises(NotExportable, match="only where feature 5 fires"):
            exported(first, file_format)
    assert set(load(exported(first, "safetensors"))) == {"direction.0"}


def test_reconstruction_mode_shows_what_the_dictionary_alone_does(root: Path) -> None:
    one, context, kept = run(root, payload(mode="reconstruction"))
    result = SteeringResult(job_id=context.job_id, **(one.result or {}))
    third = result.reconstruction
    assert (result.mode, third is not None) == ("reconstruction", True)
    assert third is not None
    assert len(third.output.tokens) == 12
    own = {metric.key for metric in result.metrics if not metric.key.endswith("_unsteered")}
    assert {metric.key.replace("_reconstruction", "_steered") for metric in third.metrics} == own
    kl = next(metric.value for metric in third.metrics if metric.key == "kl_mean")
    assert kl == pytest.approx(np.mean([token.kl for token in third.output.tokens]))
    assert third.proof.prompt_positions_touched == result.proof.prompt_positions_touched > 0
    sent = [
        token.text
        for event in context.events
        if isinstance(event, SteeringTokens)
        for token in event.data.tokens
        if token.branch == "reconstruction"
    ]
    assert sent == [token.text for token in third.output.tokens]  # the text has no special tokens
    two, _, again = run(root, kept.payload)
    now = SteeringResult(job_id=uuid4(), **(two.result or {}))
    assert again.fingerprint == kept.fingerprint
    assert find_differences(result, now) == []
    other = now.model_copy(deep=True)
    assert other.reconstruction is not None
    other.reconstruction.output.tokens[4].token_id += 1
    [difference] = find_differences(result, other)
    assert (difference.branch, difference.index) == ("reconstruction", 4)
    for file_format in ("gguf", "python"):
        with pytest.raises(NotExportable, match="reconstruction"):
            exported(kept, file_format)
