"""Refusals and waiting; that the texts are right is tested with a real worker."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import ErrorCode, JobKind, JobState, ModelStatus
from app.db.models import Feature, Job
from app.services.job_waiting import JobFailed
from tests.api.asserts import error_of
from tests.factories import make_checkpoint, make_feature, make_model, make_training

URL = "/api/v1/steering/generate"


@pytest.fixture
def feature(session: Session) -> Feature:
    training = make_training(session)
    make_checkpoint(session, training, 100)
    return make_feature(session, training, 3)


@pytest.fixture
def body(session: Session, feature: Feature) -> dict[str, Any]:
    training = session.get_one(type(make_training(session)), feature.training_id)
    return {
        "model_id": str(training.model_id),
        "prompt": "Once upon a time",
        "features": [{"id": feature.id, "coefficient": 2.0}],
    }


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "   "}, "prompt"),
        ({"prompt": "word " * 5000}, "prompt"),
        ({"features": []}, "features"),
        ({"temperature": -1}, "temperature"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"intervention_layer": -1}, "intervention_layer"),
        ({"steer_prompt": False, "steer_generated": False}, "steer_generated"),
        ({"magic": True}, "magic"),
    ],
)
def test_bad_settings_name_their_field(
    client: TestClient, body: dict[str, Any], values: dict[str, Any], field: str
) -> None:
    error = error_of(client.post(URL, json=body | values), 400, "VALIDATION_ERROR")
    assert any(field in item["field"] for item in error["details"]["errors"])


def test_bad_features(client: TestClient, session: Session, body: dict[str, Any]) -> None:
    feature_id = body["features"][0]["id"]

    def post(*features: dict[str, Any]) -> Any:
        return client.post(URL, json=body | {"features": list(features)})

    error_of(post({"id": 999999999, "coefficient": 1}), 404, "NOT_FOUND", "Feature 999999999")
    twice = {"id": feature_id, "coefficient": 1}
    error_of(post(twice, twice), 400, "VALIDATION_ERROR", "the same feature twice")
    error_of(post({"id": feature_id, "coefficient": 1e6}), 400, "VALIDATION_ERROR")
    training = make_training(session)
    make_checkpoint(session, training, 100)
    foreign = make_feature(session, training, 0)
    error_of(post({"id": foreign.id, "coefficient": 1}), 400, "VALIDATION_ERROR", "another model")


@pytest.mark.parametrize("strength", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_strength_that_is_no_number(
    client: TestClient, body: dict[str, Any], strength: str
) -> None:
    text = json.dumps(body).replace('"coefficient": 2.0', f'"coefficient": {strength}')
    answer = client.post(URL, content=text, headers={"Content-Type": "application/json"})
    error_of(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("sentence", ["shorten the prompt", "Use a smaller coefficient"])
def test_what_only_the_model_can_refuse_is_a_bad_request_too(sentence: str) -> None:
    job = Job(
        kind=JobKind.STEERING_GENERATE, queue="steering", state=JobState.FAILED,
        error_code=ErrorCode.VALIDATION_ERROR, error_message=sentence, error_details={},
    )  # fmt: skip
    error = JobFailed(job)
    assert (error.code, error.status, error.message) == ("VALIDATION_ERROR", 400, sentence)


def test_a_feature_that_never_fired_has_no_multiple(
    client: TestClient, session: Session, feature: Feature, body: dict[str, Any]
) -> None:
    feature.max_activation = 0.0
    session.flush()
    error_of(client.post(URL, json=body), 400, "VALIDATION_ERROR", "never fired")


def test_a_layer_that_does_not_exist(client: TestClient, body: dict[str, Any]) -> None:
    body["intervention_layer"] = 40
    error_of(client.post(URL, json=body), 400, "HOOK_POINT_NOT_FOUND", "0 to 3")


def test_the_model_must_be_there_and_ready(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    error_of(client.post(URL, json=body | {"model_id": str(uuid4())}), 404, "NOT_FOUND")
    loading = make_model(session, status=ModelStatus.LOADING)
    error_of(client.post(URL, json=body | {"model_id": str(loading.id)}), 409, "NOT_READY")


def test_features_whose_checkpoint_is_gone(
    client: TestClient, session: Session, feature: Feature, body: dict[str, Any]
) -> None:
    feature.metadata_ = feature.metadata_ | {"checkpoint_step": 50}
    session.flush()
    error_of(client.post(URL, json=body), 409, "NOT_READY", "Discover its features again")


def test_without_a_worker_the_wait_ends_and_the_job_is_cancelled(
    client: TestClient, session: Session, settings: Settings, body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(settings, "steering_timeout", timedelta(milliseconds=200))
    error = error_of(client.post(URL, json=body), 504, "TIMEOUT", "No steering worker")
    assert error["retryable"]
    job = session.get_one(Job, error["details"]["job_id"], populate_existing=True)
    assert (job.kind, job.state) == (JobKind.STEERING_GENERATE, JobState.CANCELLED)
    [edit] = job.payload["edits"]
    assert (edit["neuron_index"], edit["layer"], edit["unit"]) == (3, 2, "max_multiple")
    assert edit["sae_path"].endswith("step_100")


def test_a_failed_generation_answers_its_code() -> None:
    job = Job(
        kind=JobKind.STEERING_GENERATE,
        queue="steering",
        state=JobState.FAILED,
        error_code=ErrorCode.GPU_OOM,
        error_message="The GPU ran out of memory.",
        error_details={},
    )
    error = JobFailed(job)
    assert (error.code, error.status, error.retryable) == (ErrorCode.GPU_OOM, 503, True)
