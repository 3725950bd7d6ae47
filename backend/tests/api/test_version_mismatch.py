"""A database of another version: the API says so and does nothing."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.core.config import Settings
from app.main import create_app
from app.services import schema_guard
from tests.api.asserts import error_of


@pytest.fixture
def client(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(schema_guard, "_fitted_at", float("-inf"))
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


@pytest.mark.fault(25)
@pytest.mark.parametrize(
    ("name", "of_another", "words"),
    [
        ("REVISION", "0001", "written for revision 0001 of the database, which is at"),
        ("REVISION", "9999_future", "written for revision 9999_future"),
        ("RELEASE", "0.0.1", "This is release 0.0.1, and the database was made ready for"),
    ],
)
def test_a_program_of_another_version_refuses(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, name: str, of_another: str, words: str
) -> None:
    monkeypatch.setattr(schema_guard, name, of_another)
    for path in ("/api/v1/jobs", "/api/v1/health/ready"):
        error = error_of(client.get(path), 503, "VERSION_MISMATCH", words)
        assert "`make down`, then `make up`" in error["message"]
    assert client.get("/api/v1/health/live").status_code == 200

    monkeypatch.undo()
    assert client.get("/api/v1/jobs").status_code == 200
