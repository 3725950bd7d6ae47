"""Saved steering runs: kept by the worker, read and repeated by the API."""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.errors import NotFound
from app.db.models import SteeringRun
from app.db.repositories import steering_runs
from app.schemas.steering import SteeringResult
from app.schemas.steering_run import (
    EnvironmentChange,
    SteeringReplay,
    SteeringRunRead,
    SteeringRunRow,
    TextDifference,
)
from app.services import steering_service
from app.services.job_waiting import JobCancelled
from app.services.paging import RowPage

# What a person may change without changing the texts, and what follows from the dictionary.
_NAMES = frozenset({"id", "name", "own_hook_type"})
_ADDED_LATER: dict[str, Any] = {"window": [], "token_ids": [], "mode": "delta"}
"""Settings that earlier runs lack: with these values the fingerprint is that of such a run."""


class RunNotFound(NotFound):
    pass


def save_run(
    session: Session,
    run_id: UUID,
    payload: dict[str, Any],
    result: dict[str, Any],
    facts: dict[str, Any],
    directions: bytes,
) -> None:
    """Keep a run; doing it twice is harmless.

    Args:
        session: Open session.
        run_id: The job's id.
        payload: What the warm process was asked.
        result: What it answered, environment included.
        facts: What a program outside needs to know of the model.
        directions: The features' decoder rows, as safetensors.
    """
    session.merge(
        SteeringRun(
            id=run_id,
            model_id=UUID(payload["model_id"]),
            fingerprint=fingerprint(payload, result["environment"]),
            payload=payload,
            environment=result["environment"],
            facts=facts,
            result=result,
            directions=directions,
        )
    )


def fingerprint(payload: dict[str, Any], environment: dict[str, Any]) -> str:
    """SHA-256 over everything that the texts depend on; names and row ids are left out."""
    edits = [{k: v for k, v in edit.items() if k not in _NAMES} for edit in payload["edits"]]
    config = {
        k: v for k, v in payload["config"].items()
        if k not in _ADDED_LATER or v != _ADDED_LATER[k]
    }  # fmt: skip
    asked = {**payload, "config": config, "edits": edits}
    if "condition" in payload:
        asked["condition"] = {k: v for k, v in payload["condition"].items() if k not in _NAMES}
    content = {"payload": asked, "environment": environment}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def list_runs(
    session: Session, *, model_id: UUID | None, page: int, limit: int
) -> RowPage[SteeringRunRow]:
    rows = steering_runs.list_page(session, model_id=model_id, page=page, limit=limit)
    items = [SteeringRunRow(**_row(row)) for row in rows.items]
    return RowPage(items, rows.page, rows.limit, rows.total)


def read_run(session: Session, run_id: UUID) -> SteeringRunRead:
    run = require_run(session, run_id)
    result = SteeringResult(job_id=run.id, **run.result)
    return SteeringRunRead(**_row(run), settings=run.payload["config"], result=result)


def require_run(session: Session, run_id: UUID) -> SteeringRun:
    run = steering_runs.get(session, run_id)
    if run is None:
        raise RunNotFound(
            "This steering run does not exist; its model may have been deleted.",
            details={"run_id": str(run_id)},
        )
    return run


def delete_run(session: Session, run_id: UUID) -> SteeringRunRow:
    run = require_run(session, run_id)
    deleted = SteeringRunRow(**_row(run))
    session.delete(run)
    return deleted


def replay(
    session: Session, settings: Settings, run_id: UUID, is_abandoned: Callable[[], bool]
) -> SteeringReplay:
    """Generate a run's texts again and say whether, and where, they differ.

    Raises:
        RunNotFound: No such run.
        NotReady: Its model or the checkpoint of its features is gone.
        JobFailed: The generation failed.
        JobCancelled: It was cancelled: a text cut off says nothing about the rest.
    """
    run = require_run(session, run_id)
    then, payload = SteeringResult(job_id=run.id, **run.result), run.payload
    steering_service.check_files(session, settings, payload)
    now = steering_service.run_payload(session, settings, payload, is_abandoned)
    if now.stopped:
        raise JobCancelled(
            "The replay was cancelled, so whether the texts are the same is not known. Its text so "
            "far is among the runs; replay once more.",
            details={"run_id": str(run_id), "replay_id": str(now.job_id)},
        )
    differences = find_differences(then, now)
    return SteeringReplay(
        run_id=run_id,
        replay_id=now.job_id,
        identical=not differences,
        differences=differences,
        environment_changes=_changes(then, now),
        largest_logprob_difference=_logprob_difference(then, now),
    )


def find_differences(then: SteeringResult, now: SteeringResult) -> list[TextDifference]:
    """The first differing token of each text; a cancelled run is compared as far as it came."""
    found = []
    pairs = (
        ("unsteered", then.unsteered_output, now.unsteered_output),
        ("steered", then.steered_output, now.steered_output),
        *(
            [("reconstruction", then.reconstruction.output, now.reconstruction.output)]
            if then.reconstruction and now.reconstruction
            else []
        ),
    )
    for branch, old, new in pairs:
        length = len(old.tokens) if then.stopped else max(len(old.tokens), len(new.tokens))
        for index in range(length):
            one = old.tokens[index] if index < len(old.tokens) else None
            two = new.tokens[index] if index < len(new.tokens) else None
            if (one and one.token_id) != (two and two.token_id):
                texts = {"then": one.text if one else None, "now": two.text if two else None}
                found.append(TextDifference(branch=branch, index=index, **texts))
                break
    return found


def _changes(then: SteeringResult, now: SteeringResult) -> list[EnvironmentChange]:
    old, new = then.environment.model_dump(), now.environment.model_dump()
    return [
        EnvironmentChange(name=name, then=str(old[name]), now=str(new[name]))
        for name in old
        if old[name] != new[name]
    ]


def _logprob_difference(then: SteeringResult, now: SteeringResult) -> float | None:
    sizes = []
    for old, new in (
        (then.unsteered_output, now.unsteered_output),
        (then.steered_output, now.steered_output),
    ):
        for one, two in zip(old.tokens, new.tokens, strict=False):
            if one.token_id != two.token_id:
                break
            sizes.append(abs(one.logprob - two.logprob))
    return max(sizes, default=None)


def _row(run: SteeringRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "model_id": run.model_id,
        "prompt": run.result["prompt"],
        "features": run.result["features"],
        "unsteered_text": run.result["unsteered_output"]["text"],
        "steered_text": run.result["steered_output"]["text"],
        "fingerprint": run.fingerprint,
        "created_at": run.created_at,
    }
