"""A disk or a database that cannot be written: reading and making room go on, and it recovers."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.api import read_only
from app.core.config import Settings
from app.db.session import build_engine
from app.main import create_app
from tests.api.asserts import data_of, error_of
from tests.fixtures.small_disk import fill, small_disk

DISK_BYTES = 8_000_000
RESERVE_BYTES = 2_000_000
NOBODY = uuid4()
CORPUS = {"builtin": "python-docs", "name": "docs"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "home", DISK_BYTES) as folder:
        yield folder


@pytest.fixture
def small(settings: Settings, disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The API whose home lies on a disk of 8 MB."""
    monkeypatch.setattr(read_only, "CHECK_SECONDS", 0.0)
    changes = {"home": disk, "read_only_below_bytes": RESERVE_BYTES}
    app = create_app(settings.model_copy(update=changes))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


@pytest.mark.fault(14)
def test_a_nearly_full_disk_leaves_reading_and_making_room(small: TestClient, disk: Path) -> None:
    data_of(small.get("/api/v1/datasets"))
    filler = fill(disk, leave_bytes=1_000_000)

    refused = small.post("/api/v1/datasets/import", json=CORPUS)

    error = error_of(refused, 503, "DISK_FULL", "nearly full")
    assert error["retryable"] is True
    assert error["details"]["free_bytes"] < error["details"]["needed_bytes"] == RESERVE_BYTES
    data_of(small.get("/api/v1/datasets"))
    for method, path in (
        ("DELETE", f"/api/v1/datasets/{NOBODY}"),
        ("POST", f"/api/v1/jobs/{NOBODY}/cancel"),
        ("POST", f"/api/v1/trainings/{NOBODY}/stop"),
    ):
        assert small.request(method, path).status_code == 404, "it reached its endpoint"

    filler.unlink()
    assert small.post(f"/api/v1/jobs/{NOBODY}/retry").status_code == 404


@pytest.mark.fault(14)
def test_a_database_that_takes_no_changes_says_so(settings: Settings) -> None:
    app = create_app(settings)

    def write() -> None:
        with build_engine(settings.require_database_url()).connect() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            connection.execute(text("DELETE FROM jobs WHERE false"))

    def fill_it() -> None:
        with build_engine(settings.require_database_url()).connect() as connection:
            connection.execute(text("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$"))

    def other() -> None:
        with build_engine(settings.require_database_url()).connect() as connection:
            connection.execute(text("DO $$ BEGIN RAISE SQLSTATE 'XX000'; END $$"))

    for endpoint in (write, fill_it, other):
        app.add_api_route(f"/api/v1/{endpoint.__name__}", endpoint)
    with TestClient(app, base_url="http://localhost") as client:
        error = error_of(client.get("/api/v1/write"), 503, "SERVICE_UNAVAILABLE", "read-only")
        assert error["retryable"] is True
        error_of(client.get("/api/v1/fill_it"), 503, "DISK_FULL", "disk of the database")
        error_of(client.get("/api/v1/other"), 500, "INTERNAL_ERROR", "log")
