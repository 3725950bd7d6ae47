"""Asking for labels: who may write them, and what is refused."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.core.paths import model_dir
from app.db.models import Job, Training
from tests.api.asserts import data_of, error_of
from tests.factories import make_feature, make_model, make_training

URL = "/api/v1/features"


@pytest.fixture
def training(session: Session) -> Training:
    training = make_training(session)
    make_feature(session, training, 0)
    return training


def ask(client: TestClient, training: Training, **writer: Any) -> Any:
    return client.post(f"{URL}/labels", json={"training_id": str(training.id), **writer})


def test_nothing_writes_labels_by_default(client: TestClient, training: Training) -> None:
    assert data_of(client.get(f"{URL}/label-writers")) == []
    error_of(ask(client, training, endpoint_model="m"), 409, "NOT_READY", "MISTUDIO_LABEL_ENDPOINT")
    error_of(ask(client, training), 400, "VALIDATION_ERROR", "either model_id or endpoint_model")


def test_a_model_needs_a_chat_template(
    client: TestClient, session: Session, training: Training, settings: Settings
) -> None:
    model = make_model(session, name="talker")
    refused = ask(client, training, model_id=str(model.id))
    error_of(refused, 409, "NOT_READY", "no chat template")
    folder = settings.data_root / model_dir(model.id)
    folder.mkdir(parents=True)
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    [writer] = data_of(client.get(f"{URL}/label-writers"))
    assert writer == {"kind": "model", "name": "talker", "model_id": str(model.id)}
    accepted = data_of(ask(client, training, model_id=str(model.id), limit=5), 202)
    job = session.get_one(Job, accepted["job_id"])
    assert (job.kind, job.payload["writer"], job.payload["limit"]) == (
        JobKind.FEATURE_LABEL, "model", 5
    )  # fmt: skip
    again = ask(client, training, model_id=str(model.id))
    error_of(again, 409, "CONFLICT", "the writing of labels")


def test_a_server_elsewhere_is_refused(
    client: TestClient, training: Training, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "label_endpoint", "http://192.0.2.7/v1")
    refused = ask(client, training, endpoint_model="m")
    error_of(refused, 400, "VALIDATION_ERROR", "not this machine")
    monkeypatch.setattr(settings, "label_endpoint", "http://127.0.0.1:9/v1")
    accepted = data_of(ask(client, training, endpoint_model="m"), 202)
    assert accepted["status"] == "queued"
