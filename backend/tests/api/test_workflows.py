"""Workflows: all steps made at once, one after the other released, ended together."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.enums import ErrorCode, JobState
from app.db.models import Job, Training
from app.services.job_lifecycle import transition
from app.workers.outcome import Failure
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import make_activation, make_dataset, make_model

PATH = "/api/v1/workflows"
KINDS = ["activation_extract", "training_run", "feature_extract", "training_evaluate"]
S = JobState


@pytest.fixture
def body(session: Session) -> dict[str, Any]:
    model, dataset = make_model(session), make_dataset(session)
    return {
        "name": "tales",
        "model_id": str(model.id),
        "dataset_id": str(dataset.id),
        "extract": {"layers": [2], "max_tokens": 40_000},
        "train": {"hyperparameters": {"training_steps": 100, "k": 8}},
        "discover": {"examples_per_feature": 3},
    }


def states(workflow: dict[str, Any]) -> list[str]:
    return [step["state"] for step in workflow["steps"]]


def finish(session: Session, step: dict[str, Any], to: JobState = S.SUCCEEDED) -> None:
    job = session.get_one(Job, step["id"])
    error = Failure(ErrorCode.STORE_INVALID, "A shard is missing.").as_error()
    for state in (S.STARTING, S.RUNNING):
        transition(session, job, state)
    transition(session, job, to, error=error if to is S.FAILED else None)


def test_every_step_is_there_from_the_start(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    made = data_of(client.post(PATH, json=body), 202)
    assert (made["name"], made["state"], made["progress"]) == ("tales", "queued", 0.0)
    assert [step["kind"] for step in made["steps"]] == KINDS
    ids = [step["id"] for step in made["steps"]]
    assert [step["waits_for"] for step in made["steps"]] == [None, *ids[:-1]]
    training = session.get_one(Training, made["steps"][1]["resource_id"])
    assert (str(training.activation_id), training.layer) == (made["steps"][0]["resource_id"], 2)
    assert training.hyperparameters["training_steps"] == 100
    assert session.get_one(Job, ids[2]).payload["checkpoint_step"] is None
    assert data_of(client.get(f"{PATH}/{made['id']}"))["steps"] == made["steps"]
    rows, pagination = page_of(client.get(PATH))
    assert (rows[0]["id"], pagination["total"]) == (made["id"], 1)
    of_it = data_of(client.get("/api/v1/jobs", params={"workflow_id": made["id"]}))
    assert {row["id"] for row in of_it} == set(ids)


def test_the_same_request_twice_makes_one(client: TestClient, body: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "only-once"}
    first = client.post(PATH, json=body, headers=headers)
    again = client.post(PATH, json=body, headers=headers)
    assert data_of(again, 202) == data_of(first, 202)
    assert again.headers["Location"] == first.headers["Location"]
    assert page_of(client.get(PATH))[1]["total"] == 1
    other = client.post(PATH, json=body | {"name": "more"}, headers=headers)
    error_of(other, 422, "IDEMPOTENCY_KEY_REUSED")


def test_it_succeeds_step_by_step(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    made = data_of(client.post(PATH, json=body), 202)
    for step in made["steps"]:
        finish(session, step)
    ended = data_of(client.get(f"{PATH}/{made['id']}"))
    assert (ended["state"], ended["progress"]) == ("succeeded", 100.0)
    error_of(client.post(f"{PATH}/{made['id']}/cancel"), 409, "ILLEGAL_TRANSITION", "has ended")
    error_of(client.post(f"{PATH}/{made['id']}/retry"), 409, "ILLEGAL_TRANSITION", "has failed")


def test_a_failed_step_ends_it_with_its_reason_and_may_be_repeated(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    made = data_of(client.post(PATH, json=body), 202)
    finish(session, made["steps"][0])
    finish(session, made["steps"][1], S.FAILED)
    path = f"{PATH}/{made['id']}"
    ended = data_of(client.get(path))
    assert states(ended) == ["succeeded", "failed", "failed", "failed"]
    assert (ended["state"], ended["error_code"], ended["error_message"]) == (
        *("failed", "STORE_INVALID"),
        "A shard is missing.",
    )
    assert ended["steps"][3]["error_message"].startswith("Not started: the training run before it")
    again = data_of(client.post(f"{path}/retry"), 202)
    assert states(again) == ["succeeded", "queued", "queued", "queued"]
    assert [step["kind"] for step in again["steps"]] == KINDS
    assert (again["state"], again["error_message"]) == ("queued", None)
    assert again["steps"][2]["waits_for"] == again["steps"][1]["id"]
    for step in again["steps"][1:]:
        finish(session, step)
    assert data_of(client.get(path))["state"] == "succeeded"


def test_cancel_and_pause_are_for_the_whole(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    made = data_of(client.post(PATH, json=body), 202)
    path = f"{PATH}/{made['id']}"
    error_of(client.post(f"{path}/resume"), 409, "ILLEGAL_TRANSITION", "paused")
    paused = data_of(client.post(f"{path}/pause"))
    assert (paused["state"], states(paused)) == ("paused", ["paused"] * 4)
    assert states(data_of(client.post(f"{path}/resume"))) == ["queued"] * 4
    running = session.get_one(Job, made["steps"][0]["id"])
    for state in (S.STARTING, S.RUNNING):
        transition(session, running, state)
    cancelled = data_of(client.post(f"{path}/cancel"))
    assert states(cancelled) == ["running", "cancelled", "cancelled", "cancelled"]
    assert cancelled["steps"][0]["requested"] == "cancel"
    transition(session, running, S.CANCELLED)
    assert data_of(client.get(path))["state"] == "cancelled"
    assert states(data_of(client.post(f"{path}/retry"), 202)) == ["queued"] * 4


def test_a_cancel_that_came_too_late_for_the_first_step(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    made = data_of(client.post(PATH, json=body), 202)
    path = f"{PATH}/{made['id']}"
    running = session.get_one(Job, made["steps"][0]["id"])
    for state in (S.STARTING, S.RUNNING):
        transition(session, running, state)
    client.post(f"{path}/cancel")
    transition(session, running, S.SUCCEEDED)
    again = data_of(client.post(f"{path}/retry"), 202)
    assert states(again) == ["succeeded", "queued", "queued", "queued"]
    assert again["steps"][1]["waits_for"] is None


def test_a_store_that_is_there_is_taken(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    ids = {key: UUID(body[key]) for key in ("model_id", "dataset_id")}
    store = make_activation(session, **ids, layers=[1])
    del body["extract"], body["discover"]
    taken = body | {"activation_id": str(store.id), "evaluate": False}
    made = data_of(client.post(PATH, json=taken), 202)
    assert [step["kind"] for step in made["steps"]] == ["training_run"]


def test_what_cannot_work_fails_before_its_first_step(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    def refused(changes: dict[str, Any], status: int, code: str, sentence: str = "") -> None:
        error_of(client.post(PATH, json=body | changes), status, code, sentence)

    refused({"extract": {"layers": [9]}}, 400, "HOOK_POINT_NOT_FOUND", "no layer 9")
    refused({"train": {"layer": 1}}, 400, "HOOK_POINT_NOT_FOUND", "no layer 1")
    refused({"train": {"hook_type": "mlp"}}, 400, "HOOK_POINT_NOT_FOUND", "'mlp'")
    refused({"extract": None}, 400, "VALIDATION_ERROR", "activation_id or extract")
    refused({"discover": {"examples_per_feature": 0}}, 400, "VALIDATION_ERROR")
    refused({"train": {"hyperparameters": {"k": 0}}}, 400, "VALIDATION_ERROR")
    unknown = f"{PATH}/00000000-0000-0000-0000-000000000000"
    error_of(client.get(unknown), 404, "NOT_FOUND")
