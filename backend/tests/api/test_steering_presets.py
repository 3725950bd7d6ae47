"""Presets and saved runs over REST."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.db.models import Feature, LanguageModel, SteeringRun, Training
from app.schemas.steering import SteeredFeature, SteeringGenerate
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


def test_a_preset_remembers_where_it_acts(
    client: TestClient, session: Session, feature: Feature, body: dict[str, Any]
) -> None:
    assert client.post(URL, json=body).json()["data"]["condition"] is None
    condition = {"feature_id": feature.id, "threshold": 0.5}
    asked = body | {"name": "Where it fires", "condition": condition, "mode": "reconstruction"}
    made = client.post(URL, json=asked).json()["data"]
    assert (made["condition"], made["mode"]) == (condition, "reconstruction")
    assert client.get(f"{URL}/{made['id']}").json()["data"] == made
    foreign = make_feature(session, make_training(session), 0)
    wrong = asked | {"name": "c", "condition": {"feature_id": foreign.id}}
    error_of(client.post(URL, json=wrong), 400, "VALIDATION_ERROR", "another model")
    gone = asked | {"name": "c", "condition": {"feature_id": 999_999_999}}
    error_of(client.post(URL, json=gone), 404, "NOT_FOUND")


EVERYTHING: dict[str, Any] = {
    "max_new_tokens": 33, "top_k": 7, "top_p": 0.9, "repetition_penalty": 1.25, "seed": 4,
    "stop": ["\n\n", "END"], "steer_prompt": False, "steer_generated": True,
    "positions": [3, 4], "window": [1, 9], "token_ids": [5], "exclude_special": False,
    "use_chat_template": True, "system_prompt": "Be brief.", "force": True,
}  # fmt: skip


def test_a_preset_gives_back_all_that_a_generation_says_but_its_prompt(
    client: TestClient, body: dict[str, Any]
) -> None:
    places = [body["features"][0] | {"layer": 1, "hook_type": "mlp"}]
    asked = body | {"features": places, "settings": EVERYTHING}
    made = client.post(URL, json=asked).json()["data"]
    assert (made["features"][0]["layer"], made["features"][0]["hook_type"]) == (1, "mlp")
    assert made["settings"] == EVERYTHING
    read = client.get(f"{URL}/{made['id']}")
    assert read.json()["data"] == made
    again = client.put(f"{URL}/{made['id']}", json=asked).json()["data"]
    assert again == made, "the same values a second time change nothing"
    said = {"settings": set(EVERYTHING), "preset": {"temperature", "mode", "condition", "features",
            "intervention_layer"}}  # fmt: skip
    unsaid = set(SteeringGenerate.model_fields) - said["settings"] - said["preset"]
    assert unsaid == {"prompt", "model_id", "run_id", "use_cache", "prefill_chunk"}


def test_what_a_preset_does_not_say_is_as_a_generation_has_it(
    client: TestClient, body: dict[str, Any]
) -> None:
    settings = client.post(URL, json=body).json()["data"]["settings"]
    defaults = SteeringGenerate.model_fields
    standard = {name: defaults[name].default for name in settings}
    assert settings == json.loads(json.dumps(standard))


def test_places_and_settings_of_a_preset_are_checked(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    def refused(code: str, words: str = "", **changes: Any) -> None:
        error_of(client.post(URL, json=body | changes), 400, code, words)

    feature = body["features"][0]
    training = session.get_one(Training, UUID(body["training_id"]))
    model = session.get_one(LanguageModel, training.model_id)
    model.metadata_ = {**model.metadata_, "hook_types": ["residual", "mlp"]}
    session.flush()
    refused("HOOK_POINT_NOT_FOUND", features=[feature | {"layer": 40}])
    refused("HOOK_POINT_NOT_FOUND", features=[feature | {"hook_type": "z"}])
    refused("VALIDATION_ERROR", "embeddings",
            features=[feature | {"hook_type": "resid_pre", "layer": 0}])  # fmt: skip
    refused("VALIDATION_ERROR", "chat template", settings={"system_prompt": "x"})
    refused("VALIDATION_ERROR", "settings.window", settings={"window": [3, 1]})
    refused("VALIDATION_ERROR", settings={"max_new_tokens": 0})
    refused("VALIDATION_ERROR", settings={"prompt": "x"})


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
