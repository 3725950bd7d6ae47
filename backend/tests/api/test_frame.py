"""What every request meets before its endpoint: envelope, guard, headers, page, document."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.core.config import Settings
from app.core.errors import AppError
from app.db.session import build_engine
from app.main import create_app
from tests.api.asserts import data_of, error_of

ACCESS_TOKEN = "hf_" + "canary" * 5


@pytest.fixture
def page_client(settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """The API with a built page and three endpoints that fail."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>page")
    (tmp_path / "assets" / "app-1a2b.js").write_text("1")
    app = create_app(settings.model_copy(update={"frontend_dist": tmp_path}))
    _add_failures(app)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def _add_failures(app: FastAPI) -> None:
    def bug() -> None:
        raise ZeroDivisionError("secret particulars")

    def away() -> None:
        build_engine("postgresql://nobody@127.0.0.1:1/none").connect()

    def fact() -> None:
        raise AppError("A fact.", details={"n": 1})

    for endpoint in (bug, away, fact):
        app.add_api_route(f"/api/v1/{endpoint.__name__}", endpoint)


def test_a_bug_tells_the_client_nothing_but_where_to_look(page_client: TestClient) -> None:
    response = page_client.get("/api/v1/bug", headers={"X-Request-ID": "req-77"})
    error = error_of(response, 500, "INTERNAL_ERROR", "req-77")
    assert "secret" not in response.text
    assert error["retryable"] is False
    assert response.headers["X-Request-ID"] == "req-77"


@pytest.mark.fault(10)
@pytest.mark.fault(24)
def test_a_database_that_is_away_is_503_and_worth_a_retry(page_client: TestClient) -> None:
    response = page_client.get("/api/v1/away")
    error = error_of(response, 503, "SERVICE_UNAVAILABLE", "database")
    assert error["retryable"] is True
    assert response.headers["Retry-After"] == "2"


def test_typed_errors_keep_their_particulars(page_client: TestClient) -> None:
    error = error_of(page_client.get("/api/v1/fact"), 500, "INTERNAL_ERROR", "A fact.")
    assert error["details"] == {"n": 1}


@pytest.mark.fault(24)
def test_unknown_paths_and_methods(client: TestClient) -> None:
    error_of(client.get("/api/v1/nothing"), 404, "NOT_FOUND")
    response = client.delete("/api/v1/health")
    error_of(response, 405, "METHOD_NOT_ALLOWED", "DELETE")
    assert response.headers["Allow"] == "GET"


@pytest.mark.fault(24)
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("OPTIONS", "/api/v1/templates/training", "GET, POST"),
        ("PATCH", "/api/v1/features/map", "GET"),
        ("GET", "/api/v1/datasets/download", "POST"),
        ("POST", f"/api/v1/templates/training/{uuid4()}", "DELETE, GET, PATCH, PUT"),
    ],
)
def test_a_wrong_method_is_told_all_right_ones(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    """Also where the last part of a fixed address could be read as an id."""
    response = client.request(method, path)
    error_of(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == allowed


def test_head_is_get_without_the_body(client: TestClient) -> None:
    for path in ("/api/v1/datasets", "/api/v1/health/live", "/openapi.json", "/docs"):
        got, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "content-security-policy"):
            assert head.headers[name] == got.headers[name]
        assert int(head.headers["content-length"]) > 0
    assert client.head(f"/api/v1/datasets/{uuid4()}").status_code == 404
    refused = client.head("/api/v1/datasets/download")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("is_favorite", "true", "must be true or false"),
        ("is_favorite", 1, "must be true or false"),
        ("hyperparameters", {"k": "8"}, "must be a whole number"),
        ("hyperparameters", {"k": 8.5}, "must be a whole number"),
        ("hyperparameters", {"learning_rate": "0.1"}, "must be a number"),
    ],
)
def test_text_is_no_number_and_a_number_no_truth(
    client: TestClient, field: str, value: Any, sentence: str
) -> None:
    body = {"name": "strict", field: value}
    response = client.post("/api/v1/templates/training", json=body)
    error_of(response, 400, "VALIDATION_ERROR", sentence)


def test_a_whole_number_may_be_written_with_a_point(client: TestClient) -> None:
    body = {"name": "whole", "hyperparameters": {"k": 8.0}}
    made = data_of(client.post("/api/v1/templates/training", json=body), 201)
    assert made["hyperparameters"]["k"] == 8


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({"name": "x"}, "path", "path is missing."),
        ({"path": "", "name": "x"}, "path", "path must not be empty."),
        ({"path": "/x", "name": 5}, "name", "name must be text."),
        ({"path": "/x", "name": "x", "odd": 1}, "odd", "odd is not known here"),
    ],
)
def test_validation_errors_name_the_field(
    client: TestClient, body: dict[str, Any], field: str, sentence: str
) -> None:
    response = client.post("/api/v1/models/import", json=body)
    error = error_of(response, 400, "VALIDATION_ERROR", sentence)
    assert field in [item["field"] for item in error["details"]["errors"]]


@pytest.mark.fault(24)
def test_broken_json_says_so(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    response = client.post("/api/v1/models/import", content=b"{", headers=headers)
    error_of(response, 400, "VALIDATION_ERROR", "not valid JSON")


@pytest.mark.fault(24)
def test_a_refused_body_does_not_echo_secrets(client: TestClient) -> None:
    for body in ({"access_token": ACCESS_TOKEN * 20, "repo_id": "a/b"}, {"token": ACCESS_TOKEN}):
        response = client.post("/api/v1/models/download", json=body)
        error_of(response, 400, "VALIDATION_ERROR")
        assert "canary" not in response.text


@pytest.mark.fault(24)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1:x",
        "",
        "evil.example@localhost",
        "localhost/evil.example",
        "localhost?evil.example",
    ],
)
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    error_of(client.get("/api/v1/jobs", headers={"Host": host}), 403, "FORBIDDEN_ORIGIN")


@pytest.mark.parametrize("host", ["localhost:9", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_this_machine_is_no_foreign_host(client: TestClient, host: str) -> None:
    data_of(client.get("/api/v1/jobs", headers={"Host": host}))


@pytest.mark.fault(24)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "ODD"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_foreign_pages_change_nothing(
    client: TestClient, method: str, headers: dict[str, str]
) -> None:
    response = client.request(method, "/api/v1/jobs", headers=headers)
    error_of(response, 403, "FORBIDDEN_ORIGIN")


def test_our_page_may_write_and_foreign_pages_may_link(client: TestClient) -> None:
    headers = {"Origin": "http://localhost:5173"}
    error_of(
        client.post("/api/v1/models/import", json={}, headers=headers), 400, "VALIDATION_ERROR"
    )
    data_of(client.get("/api/v1/jobs", headers={"Origin": "https://evil.example"}))


@pytest.mark.fault(24)
@pytest.mark.parametrize("text", ["a\0b", "\ud800", "tail\udfff"])
def test_text_that_cannot_be_stored_is_refused(client: TestClient, text: str) -> None:
    body = json.dumps({"builtin": "python-docs", "name": text})
    headers = {"Content-Type": "application/json"}
    response = client.post("/api/v1/datasets/import", content=body, headers=headers)
    error_of(response, 400, "VALIDATION_ERROR", "NUL")


@pytest.mark.fault(24)
def test_addresses_hold_no_nul(client: TestClient) -> None:
    for path in ("/api/v1/datasets?search=%00", "/%00"):
        error_of(client.get(path), 400, "VALIDATION_ERROR", "NUL")


@pytest.mark.fault(24)
def test_huge_bodies_are_refused_before_they_are_read(client: TestClient) -> None:
    headers = {"Content-Length": str(11 * 1024**2), "Content-Type": "application/json"}
    response = client.post("/api/v1/models/import", content=b"{}", headers=headers)
    error_of(response, 413, "PAYLOAD_TOO_LARGE")


def test_every_answer_is_hardened(client: TestClient) -> None:
    for path in ("/api/v1/jobs", "/api/v1/nothing", "/docs"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Request-ID"].startswith("req_")
    assert client.get("/api/v1/jobs").headers["Cache-Control"] == "no-store"
    odd = client.get("/api/v1/jobs", headers={"X-Request-ID": "a b\tc"})
    assert odd.headers["X-Request-ID"].startswith("req_")


def test_the_page_is_served_with_its_addresses(page_client: TestClient) -> None:
    index = page_client.get("/")
    assert (index.text, index.headers["Cache-Control"]) == ("<!doctype html>page", "no-cache")
    assert page_client.get("/trainings/1").text == index.text
    asset = page_client.get("/assets/app-1a2b.js")
    assert "immutable" in asset.headers["Cache-Control"]
    for path in ("/assets/gone.js", "/%2e%2e/%2e%2e/etc/passwd.txt", "/api/v1/gone"):
        error_of(page_client.get(path), 404, "NOT_FOUND")
