"""Listing jobs, asking them to pause, go on, end or be repeated, and reading what they wrote."""

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState, ResourceType
from app.services.job_log import log_path
from tests.api.asserts import data_of, error_of
from tests.factories.rows import make_dataset, make_job


def test_jobs(client: TestClient, session: Session) -> None:
    dataset = make_dataset(session)
    type_ = ResourceType.DATASET
    job = make_job(session, JobKind.DATASET_IMPORT, JobState.QUEUED, type_, dataset.id)
    path = f"/api/v1/jobs/{job.id}"
    assert data_of(client.get(path))["state"] == job.state
    found = client.get(
        "/api/v1/jobs", params={"state": ["queued", "running"], "resource_id": str(dataset.id)}
    )
    assert [row["id"] for row in data_of(found)] == [str(job.id)]
    assert data_of(client.post(f"{path}/cancel"))["state"] == "cancelled"
    assert data_of(client.post(f"{path}/cancel"))["state"] == "cancelled"
    error_of(client.get("/api/v1/jobs/00000000-0000-0000-0000-000000000000"), 404, "NOT_FOUND")
    error_of(client.get("/api/v1/jobs?limit=0"), 400, "VALIDATION_ERROR")
    error_of(client.get("/api/v1/jobs?state=odd"), 400, "VALIDATION_ERROR", "queued")


def test_a_job_is_paused_resumed_and_repeated(client: TestClient, session: Session) -> None:
    job = make_job(session, JobKind.DATASET_DELETE, JobState.QUEUED)
    path = f"/api/v1/jobs/{job.id}"
    assert data_of(client.post(f"{path}/pause"))["reason"] == "user"
    assert data_of(client.post(f"{path}/resume"))["attempt"] == 2
    error_of(client.post(f"{path}/retry"), 409, "ILLEGAL_TRANSITION", "queued")
    client.post(f"{path}/cancel")
    again = data_of(client.post(f"{path}/retry"), 202)
    assert (again["state"], again["retry_of"]) == ("queued", str(job.id))


def test_the_end_of_a_jobs_log(client: TestClient, session: Session, settings: Settings) -> None:
    job = make_job(session, JobKind.DATASET_DELETE, JobState.RUNNING)
    path = f"/api/v1/jobs/{job.id}/log"
    assert data_of(client.get(path)) == {"lines": [], "size_bytes": 0, "truncated": False}
    log_path(settings, job.id).write_bytes(b"one\ntw\xff\nthree\n")
    found = data_of(client.get(path, params={"lines": 2}))
    assert found == {"lines": ["tw\ufffd", "three"], "size_bytes": 14, "truncated": True}
    error_of(client.get(path, params={"lines": 0}), 400, "VALIDATION_ERROR")
    unknown = "/api/v1/jobs/00000000-0000-0000-0000-000000000000/log"
    error_of(client.get(unknown), 404, "NOT_FOUND")
