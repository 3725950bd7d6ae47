"""What a person writes on a feature."""

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.db.models import Training
from tests.api.asserts import data_of, error_of, indices_of, page_of
from tests.factories import (
    make_feature,
)

URL = "/api/v1/features"


def test_favourites(client: TestClient, session: Session, training: Training) -> None:
    feature = make_feature(session, training, 0)
    make_feature(session, training, 1)
    patched = data_of(client.patch(f"{URL}/{feature.id}", json={"is_favorite": True}))
    assert patched["is_favorite"]
    rows, _ = page_of(client.get(f"{URL}?training_id={training.id}&is_favorite=true"))
    assert indices_of(rows) == [0]


def test_naming_and_unnaming(client: TestClient, session: Session, training: Training) -> None:
    feature = make_feature(session, training, 7)
    url = f"{URL}/{feature.id}"
    assert data_of(client.get(url))["name"] == 'token "7"'
    named = data_of(client.patch(url, json={"name": " Sevens ", "description": "the number"}))
    assert (named["name"], named["label"]) == ("Sevens", 'token "7"')
    assert data_of(client.patch(url, json={"is_favorite": True}))["name"] == "Sevens"
    unnamed = data_of(client.patch(url, json={"name": None}))
    assert (unnamed["name"], unnamed["description"]) == ('token "7"', "the number")
    error_of(client.patch(url, json={"name": "x" * 300}), 400, "VALIDATION_ERROR")
    error_of(client.patch(url, json={"neuron_index": 1}), 400, "VALIDATION_ERROR")
    error_of(client.patch(f"{URL}/999999999", json={"name": "x"}), 404, "NOT_FOUND")


def test_changes_are_kept_and_taken_back(
    client: TestClient, session: Session, training: Training
) -> None:
    url = f"{URL}/{make_feature(session, training, 0).id}"
    client.patch(url, json={"name": "first", "tags": ["A", "a", " b "]})
    client.patch(url, json={"name": "second"})
    client.patch(url, json={"name": "second"})  # changes nothing, so there is nothing to undo
    history = data_of(client.get(f"{url}/history"))
    assert [change["after"] for change in history] == [
        {"name": "second"}, {"name": "first", "tags": ["a", "b"]}
    ]  # fmt: skip
    assert data_of(client.post(f"{url}/undo"))["name"] == "first"
    undone = data_of(client.post(f"{url}/undo"))
    assert (undone["name"], undone["tags"]) == ('token "0"', [])
    error_of(client.post(f"{url}/undo"), 409, "CONFLICT", "left to undo")
    error_of(client.patch(url, json={"tags": ["x" * 51]}), 400, "VALIDATION_ERROR")
