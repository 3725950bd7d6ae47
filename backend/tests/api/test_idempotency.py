"""Asking twice under one key, job locations, typical durations, versions of rows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState
from app.db.models import IdempotencyKey, Job, Training
from app.db.session import get_engine
from tests.api.asserts import data_of, error_of
from tests.factories import make_activation, make_feature, make_job, make_training

TRAININGS = "/api/v1/trainings"
IMPORT = "/api/v1/datasets/import"
CORPUS = {"builtin": "python-docs", "name": "docs"}
CANARY = "hf_" + "c" * 30


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def test_the_same_request_twice_is_done_once(client: TestClient, session: Session) -> None:
    store = make_activation(session)
    body = {"model_id": str(store.model_id), "dataset_id": str(store.dataset_id)}
    headers = key()
    first = client.post(TRAININGS, json=body, headers=headers)
    created = data_of(first, 201)
    assert first.headers["Location"] == f"{TRAININGS}/{created['training_id']}"
    again = client.post(TRAININGS, json={**body, "encoderType": "sparse"}, headers=headers)
    assert data_of(again, 201) == created
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert session.scalar(select(func.count()).select_from(Training)) == 1
    assert session.scalar(select(func.count()).select_from(Job)) == 1


def test_a_key_belongs_to_one_request(client: TestClient) -> None:
    headers = key()
    data_of(client.post(IMPORT, json=CORPUS, headers=headers), 202)
    for url, body in (
        (IMPORT, {**CORPUS, "name": "other"}),
        (f"{IMPORT}", {**CORPUS, "max_documents": 3}),
    ):
        error_of(client.post(url, json=body, headers=headers), 422, "IDEMPOTENCY_KEY_REUSED")
    template = {"name": "docs"}
    used = client.post("/api/v1/templates/training", json=template, headers=headers)
    assert error_of(used, 422, "IDEMPOTENCY_KEY_REUSED")["details"]["used_for"] == f"POST {IMPORT}"


def test_a_failure_leaves_the_key_free(client: TestClient) -> None:
    headers = key()
    refused = {"name": "x", "path": "/nowhere/corpus.txt"}
    assert client.post(IMPORT, json=refused, headers=headers).status_code == 400
    data_of(client.post(IMPORT, json=CORPUS, headers=headers), 202)


def test_a_key_in_use_is_a_conflict_that_passes(client: TestClient) -> None:
    headers = key()
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
    with get_engine().begin() as elsewhere:
        elsewhere.execute(lock, {"key": f"idempotency:{headers['Idempotency-Key']}"})
        error = error_of(client.post(IMPORT, json=CORPUS, headers=headers), 409, "CONFLICT")
        assert error["retryable"]
    data_of(client.post(IMPORT, json=CORPUS, headers=headers), 202)


def test_another_file_under_the_same_key_is_another_request(
    client: TestClient, session: Session, settings: Settings
) -> None:
    headers, url = key(), "/api/v1/datasets/upload"
    cache = settings.data_root / "cache"
    before = set(cache.glob("upload-*"))
    tale = {"file": ("tale.txt", b"Once upon a time. " * 9)}
    first = data_of(client.post(url, files=tale, headers=headers), 202)
    again = client.post(url, files=tale, headers=headers)
    assert data_of(again, 202) == first
    assert again.headers["Idempotency-Replayed"] == "true"
    for files, fields in (
        ({"file": ("tale.txt", b"Another time. " * 9)}, {}),
        ({"file": ("other.txt", b"Once upon a time. " * 9)}, {}),
        (tale, {"name": "My tale"}),
    ):
        other = client.post(url, files=files, data=fields, headers=headers)
        error_of(other, 422, "IDEMPOTENCY_KEY_REUSED")
    job = session.scalars(select(Job)).one()
    kept = set(cache.glob("upload-*")) - before
    assert kept == {(settings.data_root / job.payload["upload"]).parent}, "the others are gone"


def test_every_post_that_makes_something_takes_a_key(client: TestClient) -> None:
    """What only asks, or names what it makes itself, needs none."""
    without = {
        "cancel_job", "pause_job", "resume_job", "cancel_workflow", "pause_workflow",
        "resume_workflow", "pause_training", "resume_training", "stop_training", "load_checkpoint",
        "undo_change", "estimate_activations", "estimate_training", "estimate_grid",
        "preview_tokens", "tokenize_text", "probe_features", "generate", "replay_run",
    }  # fmt: skip
    paths = client.get("/openapi.json").json()["paths"]
    posts = [siblings["post"] for siblings in paths.values() if "post" in siblings]
    found = {
        post["operationId"]
        for post in posts
        if all(each["name"].lower() != "idempotency-key" for each in post.get("parameters", ()))
    }
    assert found == without


def test_an_import_of_templates_is_done_once(client: TestClient) -> None:
    url, headers = "/api/v1/templates/import?on_duplicate=", key()
    bundle = client.get("/api/v1/templates/export").json()
    template = data_of(client.post("/api/v1/templates/training", json={"name": "mine"}), 201)
    bundle |= {"training_templates": [{"name": template["name"]}], "extraction_templates": []}
    first = data_of(client.post(f"{url}rename", json=bundle, headers=headers))
    again = client.post(f"{url}rename", json=bundle, headers=headers)
    assert data_of(again) == first
    assert again.headers["Idempotency-Replayed"] == "true"
    rows = data_of(client.get("/api/v1/templates/training?search=mine"))
    assert {row["name"] for row in rows} == {"mine", "mine (2)"}
    other = client.post(f"{url}skip", json=bundle, headers=headers)
    error_of(other, 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_job_is_repeated_once(client: TestClient, session: Session) -> None:
    job = make_job(session, JobKind.DATASET_IMPORT, JobState.FAILED)
    headers, url = key(), f"/api/v1/jobs/{job.id}/retry"
    first = client.post(url, headers=headers)
    again = client.post(url, headers=headers)
    assert data_of(again, 202) == data_of(first, 202)
    assert again.headers["Location"] == first.headers["Location"]


def test_keys_are_forgotten_after_a_day(client: TestClient, session: Session) -> None:
    headers = key()
    data_of(client.post(IMPORT, json=CORPUS, headers=headers), 202)
    session.execute(update(IdempotencyKey).values(created_at=func.now() - timedelta(hours=25)))
    data_of(client.post(IMPORT, json={**CORPUS, "name": "other"}, headers=headers), 202)
    assert len(session.scalars(select(IdempotencyKey)).all()) == 1


@pytest.mark.parametrize("value", ["", "a b", "ü", "x" * 201])
def test_odd_keys_are_refused(client: TestClient, value: str) -> None:
    response = client.post(IMPORT, json=CORPUS, headers={"Idempotency-Key": value.encode()})
    error_of(response, 400, "VALIDATION_ERROR")


def test_tokens_do_not_reach_the_key(client: TestClient, session: Session) -> None:
    headers, body = key(), {"repo_id": "a/b", "access_token": CANARY}
    data_of(client.post("/api/v1/datasets/download", json=body, headers=headers), 202)
    other = {**body, "access_token": CANARY[::-1]}
    data_of(client.post("/api/v1/datasets/download", json=other, headers=headers), 202)


def test_what_runs_long_says_where_and_how_long(client: TestClient, session: Session) -> None:
    first = client.post(IMPORT, json=CORPUS)
    accepted = data_of(first, 202)
    assert first.headers["Location"] == f"/api/v1/jobs/{accepted['job_id']}"
    assert accepted["estimated_duration_seconds"] is None, "nothing was measured yet"
    start = datetime.now(UTC)
    for seconds in (10, 30, 20):
        times = {"started_at": start, "finished_at": start + timedelta(seconds=seconds)}
        make_job(session, JobKind.DATASET_IMPORT, JobState.SUCCEEDED, **times)
    make_job(session, JobKind.DATASET_IMPORT, JobState.FAILED, started_at=start, finished_at=start)
    accepted = data_of(client.post(IMPORT, json={**CORPUS, "name": "more"}), 202)
    assert accepted["estimated_duration_seconds"] == pytest.approx(20)


def test_deletions_say_where_to_follow_them(client: TestClient, session: Session) -> None:
    training = make_training(session)
    response = client.delete(f"{TRAININGS}/{training.id}")
    assert response.headers["Location"] == f"/api/v1/jobs/{data_of(response, 202)['job_id']}"


def test_a_feature_is_changed_by_version(client: TestClient, session: Session) -> None:
    feature = make_feature(session, make_training(session), 0)
    url = f"/api/v1/features/{feature.id}"
    seen = client.get(url).headers["ETag"]
    first: Any = client.patch(url, json={"name": "cats"}, headers={"If-Match": seen})
    assert data_of(first)["name"] == "cats"
    stale = client.patch(url, json={"name": "dogs"}, headers={"If-Match": seen})
    error_of(stale, 412, "PRECONDITION_FAILED")
    assert data_of(client.patch(url, json={"name": "dogs"}))["name"] == "dogs"


def test_what_a_client_has_is_not_sent_again(client: TestClient, session: Session) -> None:
    url = f"/api/v1/features/{make_feature(session, make_training(session), 0).id}"
    seen = client.get(url).headers["ETag"]
    same = client.get(url, headers={"If-None-Match": f'"x", W/{seen}'})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", seen)
    assert client.get(url, headers={"If-None-Match": "*"}).status_code == 304
    assert client.get(f"{url}0", headers={"If-None-Match": "*"}).status_code == 404
    client.patch(url, json={"is_favorite": True})
    assert client.get(url, headers={"If-None-Match": seen}).status_code == 200
