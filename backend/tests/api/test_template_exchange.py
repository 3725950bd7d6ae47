"""The file that carries templates and presets from one installation to another."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.db.models import ExtractionTemplate, SteeringPreset, TrainingTemplate
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import make_feature, make_model, make_training

URL = "/api/v1/templates"


@pytest.fixture
def bundle(client: TestClient, session: Session) -> dict[str, Any]:
    """The export of one template of each kind and one preset."""
    _empty(session)
    model = make_model(session)
    training = make_training(session)
    feature = make_feature(session, training, 0)
    body = {"name": "t", "model_id": str(model.id), "hyperparameters": {"k": 4}}
    data_of(client.post(f"{URL}/training", json=body), 201)
    data_of(client.post(f"{URL}/extraction", json={"name": "e", "layers": [1]}), 201)
    preset = SteeringPreset(
        training_id=training.id, name="p", intervention_layer=2, mode="reconstruction",
        features=[{"feature_id": feature.id, "coefficient": 2.0, "unit": "activation"}],
        condition={"feature_id": feature.id, "threshold": 0.5}, settings={"stop": ["END"]},
    )  # fmt: skip
    session.add(preset)
    session.flush()
    found: dict[str, Any] = client.get(f"{URL}/export").json()
    return found


def _empty(session: Session) -> None:
    for table in (TrainingTemplate, ExtractionTemplate, SteeringPreset):
        session.execute(delete(table))
    session.expire_all()


def _outcomes(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(item["kind"], item["name"], item["outcome"]) for item in data["outcomes"]]


def test_the_export_is_a_dated_file_without_ids(client: TestClient, bundle: dict[str, Any]) -> None:
    headers = client.get(f"{URL}/export").headers
    assert re.search(
        r'filename="mistudio-templates-\d{4}-\d\d-\d\d\.json"', headers["Content-Disposition"]
    )
    assert (bundle["format"], bundle["version"]) == ("mistudio-templates", 1)
    assert "id" not in bundle["training_templates"][0]
    assert bundle["steering_presets"][0]["features"][0]["unit"] == "activation"


def test_what_was_exported_comes_back(
    client: TestClient, session: Session, bundle: dict[str, Any]
) -> None:
    _empty(session)
    data = data_of(client.post(f"{URL}/import", json=bundle))
    assert (data["created"], data["skipped"]) == (3, 0)
    again = client.get(f"{URL}/export").json()
    assert again | {"exported_at": ""} == bundle | {"exported_at": ""}


def test_taken_names_are_skipped_replaced_or_renamed(
    client: TestClient, bundle: dict[str, Any]
) -> None:
    data = data_of(client.post(f"{URL}/import", json=bundle))
    assert (data["created"], data["skipped"]) == (0, 3)
    bundle["extraction_templates"][0]["layers"] = [3]
    data = data_of(client.post(f"{URL}/import?on_duplicate=replace", json=bundle))
    assert data["replaced"] == 3
    assert page_of(client.get(f"{URL}/extraction"))[0][0]["layers"] == [3]
    data = data_of(client.post(f"{URL}/import?on_duplicate=rename", json=bundle))
    assert _outcomes(data) == [
        ("training_template", "t (2)", "created"),
        ("extraction_template", "e (2)", "created"),
        ("steering_preset", "p (2)", "created"),
    ]
    assert data["outcomes"][0]["note"] == 'Renamed from "t".'


def test_what_is_not_on_this_machine_is_said(client: TestClient, bundle: dict[str, Any]) -> None:
    strange = "00000000-0000-4000-8000-000000000000"
    bundle["training_templates"][0] |= {"name": "new", "model_id": strange}
    bundle["steering_presets"][0]["training_id"] = strange
    data = data_of(client.post(f"{URL}/import", json=bundle))
    assert "not on this machine" in data["outcomes"][0]["note"]
    assert data["outcomes"][0]["outcome"] == "created"
    assert data["outcomes"][2] == {
        "kind": "steering_preset", "name": "p", "outcome": "skipped",
        "note": "Its training is not on this machine.",
    }  # fmt: skip


def test_one_bad_entry_keeps_all_out(
    client: TestClient, session: Session, bundle: dict[str, Any]
) -> None:
    _empty(session)
    bundle["extraction_templates"].append({"name": "bad", "layers": [1, 1]})
    error_of(client.post(f"{URL}/import", json=bundle), 400, "VALIDATION_ERROR", "twice")
    for wrong in ({"version": 2}, {"format": "other"}, {"extraction_templates": [{}]}):
        error_of(client.post(f"{URL}/import", json=bundle | wrong), 400, "VALIDATION_ERROR")


def test_the_first_templates_are_valid(client: TestClient, session: Session) -> None:
    """The seeds of the migration, through the same gate as everybody's."""
    seeds = client.get(f"{URL}/export").json()
    assert [t["name"] for t in seeds["extraction_templates"]] == ["Full Analysis", "Quick Scan"]
    assert [t["name"] for t in seeds["training_templates"]] == [
        "Fast Prototyping", "High Quality SAE", "Large Expansion"
    ]  # fmt: skip
    _empty(session)
    assert data_of(client.post(f"{URL}/import", json=seeds))["created"] == 5
