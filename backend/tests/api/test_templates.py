"""Training and extraction templates: saved, found, changed by version, deleted."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.db.models import ExtractionTemplate, TrainingTemplate
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import make_dataset, make_model

TRAINING = "/api/v1/templates/training"
EXTRACTION = "/api/v1/templates/extraction"
BODIES: dict[str, dict[str, Any]] = {
    TRAINING: {"name": "mine", "hyperparameters": {"k": 4, "trainingSteps": 50}},
    EXTRACTION: {"name": "mine", "layers": [0, 2], "hookTypes": ["mlp"], "top_k_examples": 7},
}
both = pytest.mark.parametrize("url", [TRAINING, EXTRACTION])


@pytest.fixture(autouse=True)
def _no_seeds(session: Session) -> None:
    session.execute(delete(TrainingTemplate))
    session.execute(delete(ExtractionTemplate))


@both
def test_create_read_delete(client: TestClient, url: str) -> None:
    created = client.post(url, json=BODIES[url])
    template = data_of(created, 201)
    read = client.get(f"{url}/{template['id']}")
    assert data_of(read) == template
    assert read.headers["ETag"] == created.headers["ETag"]
    assert data_of(client.delete(f"{url}/{template['id']}")) == template
    error_of(client.delete(f"{url}/{template['id']}"), 404, "NOT_FOUND", "may have been deleted")
    error_of(client.get(f"{url}/{template['id']}"), 404, "NOT_FOUND")


def test_all_hyperparameters_are_written_out(client: TestClient) -> None:
    template = data_of(client.post(TRAINING, json=BODIES[TRAINING]), 201)
    found = template["hyperparameters"]
    assert (found["k"], found["training_steps"], found["lr_schedule"]) == (4, 50, "trapezoid")
    assert (template["encoder_type"], template["is_favorite"]) == ("sparse", False)


@both
def test_a_name_is_taken_once_whatever_its_case(client: TestClient, url: str) -> None:
    first = data_of(client.post(url, json=BODIES[url]), 201)
    other = data_of(client.post(url, json={**BODIES[url], "name": "other"}), 201)
    error = error_of(
        client.post(url, json={**BODIES[url], "name": " MINE "}), 409, "CONFLICT", '"mine" already'
    )
    assert error["details"]["template_id"] == first["id"]
    path = f"{url}/{other['id']}"
    error_of(client.patch(path, json={"name": "Mine"}), 409, "CONFLICT")
    error_of(client.put(path, json={**BODIES[url], "name": "mine"}), 409, "CONFLICT")
    assert data_of(client.patch(path, json={"name": "OTHER"}))["name"] == "OTHER"
    error_of(client.patch(path, json={"name": "  "}), 400, "VALIDATION_ERROR", "must not be empty")


@both
def test_put_replaces_and_patch_changes(client: TestClient, url: str) -> None:
    body = {**BODIES[url], "description": "why", "is_favorite": True}
    template = data_of(client.post(url, json=body), 201)
    path = f"{url}/{template['id']}"
    patched = data_of(client.patch(path, json={"isFavorite": False}))
    assert patched == template | {"is_favorite": False, "updated_at": patched["updated_at"]}
    assert data_of(client.patch(path, json={"description": None}))["description"] is None
    kept = data_of(client.patch(path, json={"is_favorite": None, "name": None}))
    assert (kept["name"], kept["is_favorite"]) == ("mine", False)
    replaced = data_of(client.put(path, json={"name": "bare"}))
    assert replaced["name"] == "bare"
    assert replaced.get("layers") is None
    if url == TRAINING:
        assert replaced["hyperparameters"]["k"] is None  # by width
    assert data_of(client.put(path, json={"name": "bare"})) == replaced, "PUT is idempotent"
    error_of(client.put(f"{url}/{uuid4()}", json={"name": "x"}), 404, "NOT_FOUND")


@both
def test_a_change_for_another_state_is_refused(client: TestClient, url: str) -> None:
    created = client.post(url, json=BODIES[url])
    path, seen = f"{url}/{data_of(created, 201)['id']}", created.headers["ETag"]
    first = client.patch(path, json={"is_favorite": True}, headers={"If-Match": seen})
    assert data_of(first)["is_favorite"]
    stale = {"If-Match": seen}
    for refused in (
        client.patch(path, json={"is_favorite": False}, headers=stale),
        client.put(path, json=BODIES[url], headers=stale),
        client.delete(path, headers=stale),
    ):
        error = error_of(refused, 412, "PRECONDITION_FAILED", "changed meanwhile")
        assert error["details"]["etag"] == first.headers["ETag"]
    # nginx compresses answers, which makes a tag a weak one.
    fresh = {"If-Match": f'"other", W/{first.headers["ETag"]}'}
    assert data_of(client.patch(path, json={"name": "n"}, headers=fresh))["name"] == "n"
    data_of(client.delete(path, headers={"If-Match": "*"}))


@both
def test_favourites_come_first(client: TestClient, url: str) -> None:
    for name, is_favorite in (("b", False), ("C", True), ("a", True), ("d", False)):
        body = {**BODIES[url], "name": name, "is_favorite": is_favorite}
        data_of(client.post(url, json=body), 201)
    rows, pagination = page_of(client.get(url))
    assert [row["name"] for row in rows] == ["a", "C", "b", "d"]
    assert pagination["total"] == 4
    rows, _ = page_of(client.get(f"{url}?is_favorite=true&sortBy=name&order=desc&limit=1"))
    assert [row["name"] for row in rows] == ["C"]
    assert [row["name"] for row in page_of(client.get(f"{url}?search=D"))[0]] == ["d"]
    error_of(client.get(f"{url}?sort_by=odd"), 400, "VALIDATION_ERROR", "Choose one of")


def test_a_template_without_a_model_fits_every_model(client: TestClient, session: Session) -> None:
    model, other = make_model(session), make_model(session)
    dataset = make_dataset(session)
    of_model = {"name": "own", "model_id": str(model.id), "dataset_id": str(dataset.id)}
    for body in (of_model, {"name": "generic"}, {"name": "other", "model_id": str(other.id)}):
        data_of(client.post(TRAINING, json=body), 201)
    rows, _ = page_of(client.get(f"{TRAINING}?model_id={model.id}"))
    assert [row["name"] for row in rows] == ["generic", "own"]
    for field in ("model_id", "dataset_id"):
        body = {"name": "lost", field: str(uuid4())}
        error_of(client.post(TRAINING, json=body), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("url", "values", "field"),
    [
        (TRAINING, {"hyperparameters": {"k": 0}}, "k"),
        (TRAINING, {"hyperparameters": {"d_sae": 16, "k": 17}}, "k"),
        (TRAINING, {"hyperparameters": {"colour": "red"}}, "colour"),
        (TRAINING, {"encoder_type": "dense"}, "encoder_type"),
        (EXTRACTION, {"layers": [-1]}, "layers"),
        (EXTRACTION, {"layers": [1, 1]}, "layers"),
        (EXTRACTION, {"hookTypes": ["nose"]}, "hook_types"),
        (EXTRACTION, {"max_samples": 2**31}, "max_samples"),
        (EXTRACTION, {"name": ""}, "name"),
        (EXTRACTION, {"name": "x" * 256}, "name"),
    ],
)
def test_bad_values_name_their_field(
    client: TestClient, url: str, values: dict[str, Any], field: str
) -> None:
    error = error_of(client.post(url, json=BODIES[url] | values), 400, "VALIDATION_ERROR")
    assert any(field in item["field"] for item in error["details"]["errors"])
