from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState, ModelStatus, ResourceType
from app.core.paths import model_dir
from app.db.models import Job
from app.services.hub import tokens
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import make_activation, make_job, make_model, make_training
from tests.factories.files import GLASS_EN

URL = "/api/v1/models"


def test_models_are_paged_sorted_and_searched(client: TestClient, session: Session) -> None:
    for name in ("alpha", "beta", "gamma"):
        make_model(session, name=f"zoo-{name}")
    rows, pagination = page_of(client.get(f"{URL}?search=ZOO&sortBy=name&order=asc&limit=2"))
    assert [row["name"] for row in rows] == ["zoo-alpha", "zoo-beta"]
    assert pagination == {"page": 1, "limit": 2, "total": 3, "has_next": True}
    rows, pagination = page_of(client.get(f"{URL}?search=zoo&sort_by=name&limit=2&page=2"))
    assert [row["name"] for row in rows] == ["zoo-alpha"]
    assert not pagination["has_next"]


def test_models_are_filtered_by_status(client: TestClient, session: Session) -> None:
    failed = make_model(session, status=ModelStatus.ERROR, error_message="broken")
    rows, _ = page_of(client.get(f"{URL}?status=error"))
    assert [row["id"] for row in rows] == [str(failed.id)]


@pytest.mark.parametrize(
    ("query", "field"),
    [("sort_by=colour", "sort_by"), ("page=0", "page"), ("limit=9999", "limit"),
     ("status=odd", "status"), ("order=up", "order")],
)  # fmt: skip
def test_bad_queries_name_the_field(client: TestClient, query: str, field: str) -> None:
    error = error_of(client.get(f"{URL}?{query}"), 400, "VALIDATION_ERROR")
    named = [
        error["details"].get("field"),
        *(e["field"] for e in error["details"].get("errors", [])),
    ]
    assert field in named


def test_a_model_shows_its_card_and_its_job(client: TestClient, session: Session) -> None:
    model = make_model(session, status=ModelStatus.LOADING)
    make_job(
        session, JobKind.MODEL_IMPORT, JobState.RUNNING, ResourceType.MODEL, model.id, progress=40
    )
    read = data_of(client.get(f"{URL}/{model.id}"))
    assert (read["n_layers"], read["d_model"], read["progress"]) == (4, 128, 40)
    assert read["job"]["state"] == "running"
    assert "layers" not in read["metadata"]


def test_the_architecture(client: TestClient, session: Session) -> None:
    model = make_model(session)
    read = data_of(client.get(f"{URL}/{model.id}/architecture"))
    assert read["n_heads"] == 4
    assert "residual" in read["hook_types"]
    assert read["layers"][0]["detail"] == "9 tensors"
    assert read["has_chat_template"] is False


@pytest.mark.parametrize("name", ["chat_template.jinja", "tokenizer_config.json"])
def test_an_architecture_tells_whether_the_model_can_chat(
    client: TestClient, session: Session, settings: Settings, name: str
) -> None:
    model = make_model(session)
    folder = settings.data_root / model_dir(model.id)
    folder.mkdir(parents=True)
    (folder / name).write_text('{"chat_template": "{{ messages[0].content }}"}')
    assert data_of(client.get(f"{URL}/{model.id}/architecture"))["has_chat_template"] is True


def test_an_architecture_needs_a_ready_model(client: TestClient, session: Session) -> None:
    model = make_model(session, status=ModelStatus.LOADING)
    error_of(client.get(f"{URL}/{model.id}/architecture"), 409, "NOT_READY", "still loading")


@pytest.mark.parametrize("path", ["", "/architecture"])
def test_an_unknown_model(client: TestClient, path: str) -> None:
    error_of(client.get(f"{URL}/{uuid4()}{path}"), 404, "NOT_FOUND", "does not exist")
    error_of(client.delete(f"{URL}/{uuid4()}"), 404, "NOT_FOUND")
    error_of(client.get(f"{URL}/no-uuid"), 400, "VALIDATION_ERROR")


def test_importing_a_folder_queues_a_job(client: TestClient, session: Session) -> None:
    accepted = data_of(client.post(f"{URL}/import", json={"path": str(GLASS_EN)}), 202)
    job = session.get(Job, accepted["job_id"])
    assert job is not None
    assert (job.kind, job.state, job.queue) == ("model_import", "queued", "downloads")
    read = data_of(client.get(f"{URL}/{accepted['resource_id']}"))
    assert (read["name"], read["status"]) == ("glass-en", "loading")


def test_a_name_is_taken_once_unless_its_model_failed(client: TestClient, session: Session) -> None:
    body = {"path": str(GLASS_EN), "name": "Twice"}
    first = data_of(client.post(f"{URL}/import", json=body), 202)
    again = {**body, "name": "twice"}
    error_of(client.post(f"{URL}/import", json=again), 409, "CONFLICT", 'a model "Twice" already')
    failed = session.get_one(type(make_model(session)), first["resource_id"])
    failed.status = ModelStatus.ERROR
    session.flush()
    data_of(client.post(f"{URL}/import", json=again), 202)


@pytest.mark.parametrize(
    ("path", "code", "sentence"),
    [
        ("/nowhere/at/all", "VALIDATION_ERROR", "does not exist"),
        ("relative/path", "VALIDATION_ERROR", "not a full path"),
        ("{tmp}", "MODEL_FORMAT_INVALID", "holds no config.json"),
        ("{tmp}/file.txt", "MODEL_FORMAT_INVALID", "not a GGUF file"),
    ],
)
def test_what_cannot_be_a_model_is_refused_at_once(
    client: TestClient, tmp_path: Path, path: str, code: str, sentence: str
) -> None:
    (tmp_path / "file.txt").write_text("text")
    body = {"path": path.format(tmp=tmp_path)}
    error_of(client.post(f"{URL}/import", json=body), 400, code, sentence)


def test_downloading_takes_the_adrs_spelling_and_hides_the_token(
    client: TestClient, session: Session, settings: Settings
) -> None:
    body = {"repoId": "org/secret", "accessToken": "hf_s3cret", "quantization": "FP16"}
    accepted = data_of(client.post(f"{URL}/download", json=body), 202)
    job = session.get_one(Job, accepted["job_id"])
    assert job.payload == {"repo_id": "org/secret", "revision": None, "quantization": "FP16"}
    assert tokens.read(settings, job.id) == "hf_s3cret"
    read = data_of(client.get(f"{URL}/{accepted['resource_id']}"))
    assert (read["repo_id"], read["status"]) == ("org/secret", "downloading")
    error_of(client.post(f"{URL}/download", json=body), 409, "CONFLICT")


@pytest.mark.parametrize("repo_id", ["", "../etc", "a/b/c", "spaces here/x"])
def test_impossible_repositories(client: TestClient, repo_id: str) -> None:
    error = error_of(
        client.post(f"{URL}/download", json={"repo_id": repo_id}), 400, "VALIDATION_ERROR"
    )
    assert error["details"]["errors"][0]["field"] == "repo_id"


def test_only_what_weights_are_kept_in_can_be_asked_for(client: TestClient) -> None:
    body = {"repo_id": "org/tiny", "quantization": "Q3"}
    error = error_of(client.post(f"{URL}/download", json=body), 400, "VALIDATION_ERROR", "FP16")
    assert error["details"]["errors"][0]["field"] == "quantization"


def test_an_unknown_field_is_refused(client: TestClient) -> None:
    body = {"repo_id": "org/tiny", "trust_remote_code": True}
    error_of(client.post(f"{URL}/download", json=body), 400, "VALIDATION_ERROR")


def test_deleting_queues_a_job_once(client: TestClient, session: Session) -> None:
    model = make_model(session)
    accepted = data_of(client.delete(f"{URL}/{model.id}"), 202)
    assert session.get_one(Job, accepted["job_id"]).kind == "model_delete"
    error_of(client.delete(f"{URL}/{model.id}"), 409, "CONFLICT", "being deleted already")


def test_a_model_in_use_names_who_uses_it(client: TestClient, session: Session) -> None:
    training = make_training(session, name="my training")
    error = error_of(
        client.delete(f"{URL}/{training.model_id}"), 409, "CONFLICT", 'training "my training"'
    )
    assert error["details"]["needed_by"][0]["id"] == str(training.id)
    store = make_activation(session)
    error_of(client.delete(f"{URL}/{store.model_id}"), 409, "CONFLICT", "layer 2, residual")


def test_a_model_that_is_being_imported_is_busy(client: TestClient, session: Session) -> None:
    model = make_model(session, status=ModelStatus.LOADING)
    make_job(session, JobKind.MODEL_IMPORT, JobState.RUNNING, ResourceType.MODEL, model.id)
    error_of(client.delete(f"{URL}/{model.id}"), 409, "CONFLICT", "its import (running)")


def test_a_text_is_cut_and_tokens_are_named(
    client: TestClient, session: Session, settings: Settings
) -> None:
    model = make_model(session)
    folder = settings.data_root / "models" / str(model.id)
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_bytes((GLASS_EN / "tokenizer.json").read_bytes())
    url = f"{URL}/{model.id}/tokenize"
    cut = data_of(client.post(url, json={"text": " the cat"}))
    assert "".join(token["text"] for token in cut["tokens"]) == " the cat"
    ids = [token["id"] for token in cut["tokens"]]
    named = data_of(client.post(url, json={"token_ids": [*ids, 5_000_000]}))["named"]
    assert "".join(token["text"] for token in named[:-1]) == " the cat"
    assert named[-1] == {"id": 5_000_000, "text": None}
    assert data_of(client.post(url, json={})) == {"tokens": [], "named": []}
    error_of(client.post(url, json={"token_ids": [-1]}), 400, "VALIDATION_ERROR")
    error_of(client.post(f"{URL}/{uuid4()}/tokenize", json={}), 404, "NOT_FOUND")
    bare = make_model(session)
    error_of(client.post(f"{URL}/{bare.id}/tokenize", json={}), 409, "NOT_READY", "on disk")
