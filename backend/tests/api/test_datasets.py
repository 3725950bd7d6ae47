import json
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import DatasetStatus, JobKind, JobState, ResourceType, TokenizationStatus
from app.db.models import Dataset, Job
from app.services.corpora.document import Document
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import (
    make_dataset,
    make_job,
    make_model,
    make_tokenization,
    make_training,
    write_corpus_of,
    write_model_files,
)

URL = "/api/v1/datasets"


@pytest.fixture
def tales(session: Session, settings: Settings) -> Dataset:
    """A ready dataset of 30 documents."""
    dataset = make_dataset(session, name="tales")
    documents = [Document(f"Tale {n} of the sea. " * (n + 1), f"title {n}") for n in range(29)]
    write_corpus_of(session, settings, dataset, *documents, Document("A Whale appears."))
    return dataset


def test_listing(client: TestClient, session: Session, tales: Dataset) -> None:
    make_dataset(session, name="other", status=DatasetStatus.ERROR, error_message="bad")
    rows, pagination = page_of(client.get(f"{URL}?sort_by=name&order=desc"))
    assert [row["name"] for row in rows] == ["tales", "other"]
    assert pagination["total"] == 2
    assert rows[0]["n_documents"] == 30
    rows, _ = page_of(client.get(f"{URL}?status=error"))
    assert rows[0]["error_message"] == "bad"


def test_samples_are_paged_in_order(client: TestClient, tales: Dataset) -> None:
    rows, pagination = page_of(client.get(f"{URL}/{tales.id}/samples?limit=10&page=3"))
    assert [row["index"] for row in rows] == list(range(20, 30))
    assert rows[0]["title"] == "title 20"
    assert pagination == {"page": 3, "limit": 10, "total": 30, "has_next": False}
    rows, _ = page_of(client.get(f"{URL}/{tales.id}/samples?page=99"))
    assert rows == []


def test_samples_are_searched(client: TestClient, tales: Dataset) -> None:
    rows, pagination = page_of(client.get(f"{URL}/{tales.id}/samples?search=whale"))
    assert [row["text"] for row in rows] == ["A Whale appears."]
    assert pagination["total"] == 1


def test_a_long_sample_is_cut_but_its_length_is_told(
    client: TestClient, session: Session, settings: Settings
) -> None:
    dataset = make_dataset(session)
    write_corpus_of(session, settings, dataset, Document("x" * 50_000))
    row = page_of(client.get(f"{URL}/{dataset.id}/samples"))[0][0]
    assert (len(row["text"]), row["n_characters"]) == (10_000, 50_000)


def test_statistics_before_and_after_tokenising(
    client: TestClient, session: Session, tales: Dataset
) -> None:
    stats = data_of(client.get(f"{URL}/{tales.id}/stats"))
    assert (stats["n_documents"], stats["n_tokens"]) == (30, None)
    assert sum(bucket["count"] for bucket in stats["character_histogram"]) == 30
    row = make_tokenization(session, tales, make_model(session))
    stats = data_of(client.get(f"{URL}/{tales.id}/stats"))
    assert (stats["tokenization_id"], stats["n_tokens"]) == (str(row.id), 1000)
    assert stats["token_histogram"][1] == {"lower": 100, "upper": None, "count": 4}
    assert stats["n_train_documents"] + stats["n_held_out_documents"] == 10


@pytest.mark.parametrize("path", ["samples", "stats"])
def test_content_needs_a_ready_dataset(client: TestClient, session: Session, path: str) -> None:
    dataset = make_dataset(session, status=DatasetStatus.INGESTING)
    error = error_of(client.get(f"{URL}/{dataset.id}/{path}"), 409, "NOT_READY", "still ingesting")
    assert error["retryable"]
    error_of(client.get(f"{URL}/{uuid4()}/{path}"), 404, "NOT_FOUND")


def test_importing_a_file_queues_a_job(
    client: TestClient, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "hello"}\n')
    body = {"name": " corpus ", "path": str(file), "maxDocuments": 5}
    accepted = data_of(client.post(f"{URL}/import", json=body), 202)
    payload = session.get_one(Job, accepted["job_id"]).payload
    assert payload == {"path": str(file), "text_column": None, "max_documents": 5}
    read = data_of(client.get(f"{URL}/{accepted['resource_id']}"))
    assert (read["name"], read["status"], read["source"]) == ("corpus", "ingesting", "Local")
    error_of(client.post(f"{URL}/import", json=body), 409, "CONFLICT", "Choose another name")


def test_importing_the_builtin_corpus(client: TestClient) -> None:
    data_of(client.post(f"{URL}/import", json={"name": "docs", "builtin": "python-docs"}), 202)


@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [
        ({"name": "x"}, "VALIDATION_ERROR", ""),
        ({"name": "x", "path": "/a", "builtin": "python-docs"}, "VALIDATION_ERROR", ""),
        ({"name": "x", "builtin": "shakespeare"}, "VALIDATION_ERROR", ""),
        ({"name": "", "builtin": "python-docs"}, "VALIDATION_ERROR", ""),
        ({"name": "x", "path": "/nowhere.txt"}, "VALIDATION_ERROR", "does not exist"),
        ({"name": "x", "path": "{tmp}/empty.txt"}, "DATASET_EMPTY", "is empty"),
        ({"name": "x", "path": "{tmp}/binary.txt"}, "DATASET_FORMAT_INVALID", "binary file"),
        ({"name": "x", "path": "{tmp}/broken.jsonl"}, "DATASET_FORMAT_INVALID", "line 1"),
        (
            {"name": "x", "path": "{tmp}/good.csv", "text_column": "body"},
            "DATASET_FORMAT_INVALID",
            "Its columns are: text",
        ),
    ],
)
def test_what_cannot_be_imported_is_refused_at_once(
    client: TestClient, tmp_path: Path, body: dict[str, str], code: str, sentence: str
) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    (tmp_path / "broken.jsonl").write_text("oops\n")
    (tmp_path / "good.csv").write_text("text\nhello\n")
    filled = {key: value.format(tmp=tmp_path) for key, value in body.items()}
    error_of(client.post(f"{URL}/import", json=filled), 400, code, sentence)


def test_downloading_names_the_dataset_after_its_parts(client: TestClient) -> None:
    body = {"repoId": "org/tales", "split": "train"}
    accepted = data_of(client.post(f"{URL}/download", json=body), 202)
    read = data_of(client.get(f"{URL}/{accepted['resource_id']}"))
    assert (read["name"], read["status"]) == ("org/tales (train)", "downloading")
    assert read["source"] == "HuggingFace"
    error_of(client.post(f"{URL}/download", json=body), 409, "CONFLICT")


def test_uploading_streams_to_the_data_root(
    client: TestClient, session: Session, settings: Settings
) -> None:
    files = {"file": ("my tales.txt", b"Once upon a time.\n" * 1000)}
    accepted = data_of(client.post(f"{URL}/upload", files=files), 202)
    payload = session.get_one(Job, accepted["job_id"]).payload
    assert (settings.data_root / payload["upload"]).read_bytes() == files["file"][1]
    read = data_of(client.get(f"{URL}/{accepted['resource_id']}"))
    assert (read["name"], read["source"]) == ("my tales.txt", "Custom")


@pytest.mark.parametrize(
    ("filename", "content", "code"),
    [
        ("a.txt", b"", "DATASET_EMPTY"),
        ("a.txt", bytes(range(256)) * 9, "DATASET_FORMAT_INVALID"),
        ("a.exe", b"MZ", "VALIDATION_ERROR"),
    ],
)
def test_a_bad_upload_is_refused_and_leaves_nothing(
    client: TestClient, settings: Settings, filename: str, content: bytes, code: str
) -> None:
    before = sorted((settings.data_root / "cache").rglob("*"))
    response = client.post(f"{URL}/upload", files={"file": (filename, content)})
    error_of(response, 400, code)
    assert sorted((settings.data_root / "cache").rglob("*")) == before


def test_an_upload_that_is_no_form(client: TestClient) -> None:
    error_of(client.post(f"{URL}/upload", json={}), 415, "UNSUPPORTED_MEDIA_TYPE", "multipart")
    plain = client.post(f"{URL}/upload", data={"name": "x"}, files={})
    error_of(plain, 415, "UNSUPPORTED_MEDIA_TYPE", "multipart")


def test_tokenising_queues_a_job(client: TestClient, session: Session, tales: Dataset) -> None:
    model = make_model(session)
    body = {"model_id": str(model.id), "max_length": 64}
    accepted = data_of(client.post(f"{URL}/{tales.id}/tokenize", json=body), 202)
    rows = data_of(client.get(f"{URL}/{tales.id}/tokenizations"))
    assert [row["id"] for row in rows] == [accepted["resource_id"]]
    assert (rows[0]["status"], rows[0]["metadata"]["max_length"]) == ("queued", 64)


def test_tokenising_checks_model_and_length(
    client: TestClient, session: Session, tales: Dataset
) -> None:
    url, model = f"{URL}/{tales.id}/tokenize", make_model(session)
    long = {"model_id": str(model.id), "max_length": 4096}
    error_of(client.post(url, json=long), 400, "VALIDATION_ERROR", "128 positions of the model")
    short = {"model_id": str(model.id), "max_length": 1}
    error_of(client.post(url, json=short), 400, "VALIDATION_ERROR")
    error_of(client.post(url, json={"model_id": str(uuid4())}), 404, "NOT_FOUND", "This model")
    waiting = make_dataset(session, status=DatasetStatus.DOWNLOADING)
    response = client.post(f"{URL}/{waiting.id}/tokenize", json={"model_id": str(model.id)})
    error_of(response, 409, "NOT_READY")


def test_the_token_preview(
    client: TestClient, session: Session, settings: Settings, tales: Dataset
) -> None:
    model = make_model(session)
    write_model_files(settings, model)
    text = "Alice was beginning to get very tired."
    body = {"model_id": str(model.id), "text": text}
    preview = data_of(client.post(f"{URL}/{tales.id}/tokenize-preview", json=body))
    assert "".join(token["text"] for token in preview["tokens"]) == text
    assert preview["n_tokens"] == len(preview["tokens"])
    empty = {**body, "text": ""}
    error_of(client.post(f"{URL}/{tales.id}/tokenize-preview", json=empty), 400, "VALIDATION_ERROR")


def test_deleting(client: TestClient, session: Session, tales: Dataset) -> None:
    accepted = data_of(client.delete(f"{URL}/{tales.id}"), 202)
    assert session.get_one(Job, accepted["job_id"]).kind == "dataset_delete"
    error_of(client.delete(f"{URL}/{tales.id}"), 409, "CONFLICT", "being deleted already")
    error_of(client.delete(f"{URL}/{uuid4()}"), 404, "NOT_FOUND")


def test_a_dataset_in_use_is_kept(client: TestClient, session: Session, tales: Dataset) -> None:
    training = make_training(session)
    error_of(client.delete(f"{URL}/{training.dataset_id}"), 409, "CONFLICT", training.name or "")
    row = make_tokenization(session, tales, make_model(session), status=TokenizationStatus.RUNNING)
    make_job(session, JobKind.DATASET_TOKENIZE, JobState.RUNNING, ResourceType.TOKENIZATION, row.id)
    error_of(client.delete(f"{URL}/{tales.id}"), 409, "CONFLICT", "a tokenisation (running)")


def test_metadata_is_json(client: TestClient, tales: Dataset) -> None:
    read = data_of(client.get(f"{URL}/{tales.id}"))
    assert json.loads(json.dumps(read["metadata"]))["origin"] == {"path": "/test"}
