from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.enums import JobKind, JobState, ResourceType, TrainingStatus
from app.db.models import ExtractionTemplate, Job, Training
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import (
    make_checkpoint,
    make_example,
    make_feature,
    make_job,
    make_training,
)

URL = "/api/v1/features"
LENS = {
    "top": [{"token": " cat", "token_id": 2, "logit": 1.5}],
    "bottom": [{"token": " dog", "token_id": 3, "logit": -1.5}],
}


@pytest.fixture
def training(session: Session) -> Training:
    training = make_training(session)
    make_checkpoint(session, training, 100)
    return training


def names_of(rows: list[dict[str, Any]]) -> list[int]:
    return [row["neuron_index"] for row in rows]


def test_discovery_reads_the_latest_checkpoint(
    client: TestClient, session: Session, training: Training
) -> None:
    body = {"trainingId": str(training.id), "examples_per_feature": 5}
    accepted = data_of(client.post(f"{URL}/extract", json=body), 202)
    job = session.get_one(Job, accepted["job_id"])
    assert (job.queue, job.payload["checkpoint_step"]) == ("analysis", 100)
    assert job.payload["config"]["examples_per_feature"] == 5
    error_of(client.post(f"{URL}/extract", json=body), 409, "CONFLICT", "a feature discovery")


def test_discovery_takes_the_number_of_examples_of_a_template(
    client: TestClient, session: Session, training: Training
) -> None:
    template = ExtractionTemplate(name="many", top_k_examples=50)
    session.add(template)
    session.flush()
    body = {"training_id": str(training.id), "template_id": str(template.id)}
    accepted = data_of(client.post(f"{URL}/extract", json=body), 202)
    payload = session.get_one(Job, accepted["job_id"]).payload
    assert payload["config"]["examples_per_feature"] == 50
    body["template_id"] = str(uuid4())
    session.query(Job).delete()
    error_of(client.post(f"{URL}/extract", json=body), 404, "NOT_FOUND", "extraction template")


def test_discovery_needs_a_checkpoint_and_an_end(client: TestClient, session: Session) -> None:
    def extract(training: Training) -> Any:
        return client.post(f"{URL}/extract", json={"training_id": str(training.id)})

    running = make_training(session, status=TrainingStatus.TRAINING)
    make_checkpoint(session, running, 10)
    error_of(extract(running), 409, "NOT_READY", "still runs")
    error_of(extract(make_training(session)), 409, "NOT_READY", "no checkpoint yet")
    orphan = make_training(session, activation_id=None)
    make_checkpoint(session, orphan, 10)
    store = make_training(session)
    orphan.model_id = store.model_id
    session.flush()
    error_of(extract(orphan), 409, "NOT_READY", "were deleted. Extract them again")
    error_of(client.post(f"{URL}/extract", json={"training_id": str(uuid4())}), 404, "NOT_FOUND")
    bad = {"training_id": str(store.id), "examples_per_feature": 0}
    error_of(client.post(f"{URL}/extract", json=bad), 400, "VALIDATION_ERROR")


def test_discovery_of_a_paused_training(
    client: TestClient, session: Session, training: Training
) -> None:
    training.status = TrainingStatus.PAUSED
    make_job(session, JobKind.TRAINING_RUN, JobState.PAUSED, ResourceType.TRAINING, training.id)
    data_of(client.post(f"{URL}/extract", json={"training_id": str(training.id)}), 202)


def test_the_table(client: TestClient, session: Session, training: Training) -> None:
    for index in range(5):
        feature = make_feature(session, training, index)
        make_example(session, feature, 0)
        make_example(session, feature, 1)
    make_feature(session, make_training(session), 0)
    url = f"{URL}?training_id={training.id}"
    rows, pagination = page_of(client.get(f"{url}&sortBy=max_activation&limit=2"))
    assert names_of(rows) == [4, 3]
    assert pagination == {"page": 1, "limit": 2, "total": 5, "has_next": True}
    assert rows[0]["top_example"]["rank"] == 0
    assert rows[0]["top_example"]["tokens"] == ["the", " cat", " sat"]
    assert names_of(page_of(client.get(f"{url}&sort_by=neuron_index&order=asc"))[0])[0] == 0
    for key in ("activation", "interpretability", "mean_activation", "id", "name"):
        assert page_of(client.get(f"{url}&sort_by={key}"))[1]["total"] == 5
    error_of(client.get(f"{url}&sort_by=beauty"), 400, "VALIDATION_ERROR", "Choose one of")
    error_of(client.get(f"{URL}?training_id={uuid4()}"), 404, "NOT_FOUND")


def test_searching_names_labels_descriptions_and_contexts(
    client: TestClient, session: Session, training: Training
) -> None:
    make_feature(session, training, 0, name="Whales")
    make_feature(session, training, 1, description="about 100% whales")
    make_feature(session, training, 2, metadata={"label": 'token "whale"'})
    context = make_feature(session, training, 3, metadata={"label": ""})
    make_example(session, context, 0, sample_text="a white Whale rose")
    make_feature(session, training, 4)
    url = f"{URL}?training_id={training.id}&sort_by=neuron_index&order=asc&search="
    assert names_of(page_of(client.get(f"{url}whale"))[0]) == [0, 1, 2, 3]
    assert names_of(page_of(client.get(f"{url}100%25"))[0]) == [1]
    assert page_of(client.get(f"{url}_____"))[0] == []


def test_favourites(client: TestClient, session: Session, training: Training) -> None:
    feature = make_feature(session, training, 0)
    make_feature(session, training, 1)
    patched = data_of(client.patch(f"{URL}/{feature.id}", json={"is_favorite": True}))
    assert patched["is_favorite"]
    rows, _ = page_of(client.get(f"{URL}?training_id={training.id}&is_favorite=true"))
    assert names_of(rows) == [0]


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


def test_one_feature_and_its_contexts(
    client: TestClient, session: Session, training: Training
) -> None:
    feature = make_feature(session, training, 0)
    for rank in range(3):
        make_example(session, feature, rank, split="held_out" if rank else "train")
    read = data_of(client.get(f"{URL}/{feature.id}"))
    assert (read["n_examples"], read["n_tokens"]) == (3, 1000)
    examples = data_of(client.get(f"{URL}/{feature.id}/activations?top_k=2"))
    assert [(example["rank"], example["split"]) for example in examples] == [
        (0, "train"),
        (1, "held_out"),
    ]
    assert examples[0]["activations"][examples[0]["position"]] == examples[0]["max_activation"]
    error_of(client.get(f"{URL}/{feature.id}/activations?top_k=0"), 400, "VALIDATION_ERROR")


def test_the_logit_lens(client: TestClient, session: Session, training: Training) -> None:
    feature = make_feature(session, training, 0, metadata={"logit_lens": LENS})
    lens = data_of(client.get(f"{URL}/{feature.id}/logit-lens"))
    assert (lens["top"], lens["bottom"]) == (LENS["top"], LENS["bottom"])
    assert "decoder" in lens["definition"]
    without = make_feature(session, training, 1)
    error_of(client.get(f"{URL}/{without.id}/logit-lens"), 404, "NOT_FOUND", "was not measured")


@pytest.mark.parametrize("path", ["", "/activations", "/logit-lens"])
def test_an_unknown_feature(client: TestClient, path: str) -> None:
    error_of(client.get(f"{URL}/999999999{path}"), 404, "NOT_FOUND", "This feature")
    error_of(client.get(f"{URL}/0{path}"), 400, "VALIDATION_ERROR")
