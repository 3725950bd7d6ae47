"""Presets and saved runs over REST."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.db.models import Feature, SteeringRun, Training
from app.schemas.steering import SteeredFeature
from tests.api.asserts import error_of
from tests.factories import make_checkpoint, make_feature, make_model, make_training

URL = "/api/v1/steering/presets"


@pytest.fixture
def feature(session: Session) -> Feature:
    training = make_training(session)
    make_checkpoint(session, training, 100)
    return make_feature(session, training, 3)


@pytest.fixture
def body(feature: Feature) -> dict[str, Any]:
    return {
        "training_id": str(feature.training_id),
        "name": "Less of it",
        "features": [{"feature_id": feature.id, "coefficient": -2.0, "method": "clamp"}],
        "intervention_layer": 2,
        "temperature": 0.7,
    }


def test_a_preset_is_made_read_written_and_deleted(
    client: TestClient, body: dict[str, Any]
) -> None:
    made = client.post(URL, json=body)
    assert made.status_code == 201
    preset = made.json()["data"]
    assert preset["features"][0]["method"] == "clamp"
    assert client.get(f"{URL}/{preset['id']}").json()["data"] == preset
    assert client.get(URL, params={"training_id": body["training_id"]}).json()["data"] == [preset]
    changed = body | {"name": "More of it", "is_favorite": True}
    again = client.put(f"{URL}/{preset['id']}", json=changed).json()["data"]
    assert (again["name"], again["is_favorite"]) == ("More of it", True)
    gone = client.delete(f"{URL}/{preset['id']}").json()["data"]
    assert gone["name"] == "More of it"
    error_of(client.get(f"{URL}/{preset['id']}"), 404, "NOT_FOUND")


def test_a_feature_is_named_as_in_a_generation_or_as_in_a_preset(
    client: TestClient, feature: Feature, body: dict[str, Any]
) -> None:
    made = client.post(URL, json=body | {"features": [{"id": feature.id, "coefficient": 1.0}]})
    assert made.json()["data"]["features"][0]["feature_id"] == feature.id
    assert SteeredFeature.model_validate({"feature_id": feature.id}).id == feature.id
    both = [{"id": feature.id, "feature_id": feature.id + 1, "coefficient": 1.0}]
    error_of(client.post(URL, json=body | {"name": "b", "features": both}), 400, "VALIDATION_ERROR")


def test_names_and_features_of_a_preset_are_checked(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    client.post(URL, json=body)
    error_of(client.post(URL, json=body | {"name": "LESS of it"}), 409, "CONFLICT", "already")
    error_of(client.post(URL, json=body | {"name": " "}), 400, "VALIDATION_ERROR", "empty")
    error_of(client.post(URL, json=body | {"intervention_layer": 40}), 400, "HOOK_POINT_NOT_FOUND")
    foreign = make_feature(session, make_training(session), 0)
    other = [{"feature_id": foreign.id, "coefficient": 1.0}]
    error_of(client.post(URL, json=body | {"features": other}), 404, "NOT_FOUND", "none of the")
    twice = body["features"] * 2
    error_of(client.post(URL, json=body | {"features": twice}), 400, "VALIDATION_ERROR", "twice")
    error_of(client.get(URL, params={"training_id": str(uuid4())}), 404, "NOT_FOUND")


def test_a_stale_version_changes_nothing(client: TestClient, body: dict[str, Any]) -> None:
    preset = client.post(URL, json=body).json()["data"]
    tag = client.get(f"{URL}/{preset['id']}").headers["ETag"]
    path = f"{URL}/{preset['id']}"
    assert client.put(path, json=body | {"name": "x"}, headers={"If-Match": tag}).is_success
    refused = client.delete(path, headers={"If-Match": tag})
    assert refused.status_code == 412


def test_unknown_runs(client: TestClient) -> None:
    base = f"/api/v1/steering/runs/{uuid4()}"
    error_of(client.get(base), 404, "NOT_FOUND")
    error_of(client.get(f"{base}/export"), 404, "NOT_FOUND")
    error_of(client.post(f"{base}/replay"), 404, "NOT_FOUND")
    error_of(client.delete(base), 404, "NOT_FOUND")


def test_a_run_whose_checkpoint_is_gone_is_not_replayed(
    client: TestClient, session: Session, run_row: SteeringRun
) -> None:
    listed = client.get("/api/v1/steering/runs", params={"model_id": str(run_row.model_id)})
    assert [row["id"] for row in listed.json()["data"]] == [str(run_row.id)]
    path = f"/api/v1/steering/runs/{run_row.id}"
    assert client.get(path).json()["data"]["steered_text"] == " a cat"
    error_of(client.post(f"{path}/replay"), 409, "NOT_READY", "is gone")
    assert client.delete(path).json()["data"]["id"] == str(run_row.id)
    error_of(client.get(path), 404, "NOT_FOUND")


@pytest.fixture
def run_row(session: Session) -> SteeringRun:
    model = make_model(session)
    row = SteeringRun(
        model_id=model.id, fingerprint="0" * 64, environment={}, facts={}, directions=b"",
        payload={
            "model_id": str(model.id),
            "config": {"prompt": "Once"},
            "edits": [{"id": 1, "neuron_index": 3, "sae_path": "checkpoints/none"}],
        },
        result=RESULT | {"model_id": str(model.id)},
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


_TEXT = {"text": " a cat", "tokens": [], "perplexity": None, "ended": "length"}
RESULT: dict[str, Any] = {
    "prompt": "Once", "prompt_tokens": [], "intervention_layer": 2, "features": [],
    "unsteered_output": _TEXT, "steered_output": _TEXT, "diff": [], "metrics": [],
    "proof": {
        "positions_touched": 1, "prompt_positions_touched": 1, "positions_changed": 1,
        "mean_delta_norm": 1.0, "mean_delta_norm_ratio": 0.1, "first_differing_logit": None,
        "first_divergence": None,
    },
    "warnings": [], "stopped": False, "seconds": 1.0, "first_token_seconds": 0.1,
    "environment": {
        "model": "m", "dtype": "float32", "device": "cpu", "torch": "2", "transformers": "5",
        "dictionaries": "", "sampler": "greedy",
    },
}  # fmt: skip


def test_the_training_of_a_preset_takes_it_along(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    preset = client.post(URL, json=body).json()["data"]
    session.delete(session.get_one(Training, body["training_id"]))
    session.flush()
    session.expire_all()
    error_of(client.get(f"{URL}/{preset['id']}"), 404, "NOT_FOUND")
