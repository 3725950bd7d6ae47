"""Refusals and waiting; that the texts are right is tested with a real worker."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import ErrorCode, JobKind, JobState, ModelStatus
from app.db.models import Feature, Job, LanguageModel, Training
from app.services.job_waiting import JobFailed
from tests.api.asserts import data_of, error_of
from tests.factories import make_checkpoint, make_feature, make_model, make_training

URL = "/api/v1/steering/generate"
SWEEP = "/api/v1/steering/sweep"


def swept(body: dict[str, Any]) -> dict[str, Any]:
    """The same as a sweep asks for it."""
    features = [{k: v for k, v in f.items() if k != "coefficient"} for f in body["features"]]
    rest = {k: v for k, v in body.items() if k != "prompt"}
    return rest | {"features": features, "prompts": [body["prompt"]]}


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


def place_of(feature: Feature, body: dict[str, Any], **place: Any) -> dict[str, Any]:
    return body | {"features": [{"id": feature.id, "coefficient": 2.0, **place}]}


@pytest.mark.parametrize(
    ("own", "place"),
    [
        ("residual", {"layer": 1}),
        ("residual", {"hook_type": "resid_mid"}),
        ("residual", {"hook_type": "resid_pre", "layer": 2}),
        ("resid_mid", {"hook_type": "residual"}),
        ("z", {"layer": 1}),
    ],
)
def test_a_feature_is_steered_elsewhere_only_when_that_is_meant(
    client: TestClient, session: Session, feature: Feature, body: dict[str, Any],
    own: str, place: dict[str, Any],
) -> None:  # fmt: skip
    session.get_one(Training, feature.training_id).hook_type = own
    asked = place_of(feature, body, **place)
    for url, values in ((URL, {}), (SWEEP, {"strengths": [1.0]})):
        request = asked | values if url == URL else swept(asked) | values
        error = error_of(
            client.post(url, json=request), 400, "VALIDATION_ERROR", "set force to true"
        )
        assert f"#3 at {own} of layer 2" in error["message"]
        assert error["details"]["errors"][0]["field"] == "features"
    forced = swept(asked) | {"strengths": [1.0], "force": True}
    payload = session.get_one(Job, data_of(client.post(SWEEP, json=forced), 202)["job_id"]).payload
    [edit] = payload["edits"]
    wanted = "residual" if place.get("hook_type") == "resid_pre" else place.get("hook_type", own)
    assert (edit["at_layer"], edit["at_hook_type"]) == (
        1 if place.get("layer") else 2, wanted,
    )  # fmt: skip


def test_its_own_place_needs_no_force_whatever_it_is_called(
    client: TestClient, session: Session, feature: Feature, body: dict[str, Any]
) -> None:
    names = {"residual": {"hook_type": "resid_pre", "layer": 3}, "z": {"hook_type": "z"},
             "attention": {"hook_type": "attn_out", "layer": 2}}  # fmt: skip
    for own, place in names.items():
        session.get_one(Training, feature.training_id).hook_type = own
        request = swept(place_of(feature, body, **place)) | {"strengths": [1.0]}
        job = session.get_one(Job, data_of(client.post(SWEEP, json=request), 202)["job_id"])
        [edit] = job.payload["edits"]
        assert (edit["at_layer"], edit["at_hook_type"], edit["hook_type"]) == (2, own, own)


def test_heads_and_stream_are_two_spaces_whatever_is_forced(
    client: TestClient, session: Session, feature: Feature, body: dict[str, Any]
) -> None:
    asked = place_of(feature, body, hook_type="z") | {"force": True}
    error_of(client.post(URL, json=asked), 400, "VALIDATION_ERROR", "another space")
    session.get_one(Training, feature.training_id).hook_type = "z"
    asked = place_of(feature, body, hook_type="residual") | {"force": True}
    error_of(client.post(URL, json=asked), 400, "VALIDATION_ERROR", "another space")


def test_a_feature_is_read_only_where_it_was_learned(
    client: TestClient, session: Session, feature: Feature, body: dict[str, Any]
) -> None:
    asked = place_of(feature, body, hook_type="resid_mid", method="ablate") | {"force": True}
    sentence = "exists only at layer 2, residual"
    error_of(client.post(URL, json=asked), 400, "VALIDATION_ERROR", sentence)


def test_a_place_that_the_model_lacks(
    client: TestClient, session: Session, feature: Feature, body: dict[str, Any]
) -> None:
    model = session.get_one(LanguageModel, UUID(body["model_id"]))
    model.metadata_ = model.metadata_ | {"hook_types": ["residual", "z"]}
    asked = place_of(feature, body, hook_type="resid_mid") | {"force": True}
    error_of(client.post(URL, json=asked), 400, "HOOK_POINT_NOT_FOUND", "side by side")


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


def conditional(body: dict[str, Any], feature_id: int, **values: Any) -> dict[str, Any]:
    return body | {"condition": {"feature_id": feature_id, **values}}


def test_a_condition_is_asked_of_the_worker(
    client: TestClient, session: Session, settings: Settings, body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(settings, "steering_timeout", timedelta(milliseconds=200))
    asked = conditional(body, body["features"][0]["id"], threshold=1.5)
    error = error_of(client.post(URL, json=asked | {"mode": "reconstruction"}), 504, "TIMEOUT")
    job = session.get_one(Job, error["details"]["job_id"], populate_existing=True)
    condition = job.payload["condition"]
    assert (condition["neuron_index"], condition["threshold"], condition["layer"]) == (3, 1.5, 2)
    assert condition["sae_path"].endswith("step_100")
    assert job.payload["config"]["mode"] == "reconstruction"


def test_conditions_that_cannot_hold(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    own = body["features"][0]["id"]

    def refused(asked: dict[str, Any], words: str, status: int = 400) -> None:
        code = "NOT_FOUND" if status == 404 else "VALIDATION_ERROR"
        error_of(client.post(URL, json=asked), status, code, words)

    early = conditional(body, own) | {"intervention_layer": 1, "force": True}
    refused(early, "is read at layer 2, after the edit at layer 1")
    refused(conditional(body, 999_999_999), "does not exist", 404)
    training = make_training(session)
    make_checkpoint(session, training, 100)
    foreign = make_feature(session, training, 0)
    refused(conditional(body, foreign.id), "another model")
    for threshold in (-0.1, 1e9, "much"):
        refused(conditional(body, own, threshold=threshold), "threshold")
    refused(body | {"mode": "replace"}, "mode")
    text = json.dumps(conditional(body, own, threshold=1)).replace('old": 1', 'old": NaN')
    response = client.post(URL, content=text, headers={"Content-Type": "application/json"})
    error_of(response, 400, "VALIDATION_ERROR")
