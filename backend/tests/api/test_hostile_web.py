"""Fault 24: what is hostile or broken is refused with a code, changes nothing and upsets nothing.

Hosts and origins are in ``test_frame``; what needs a real connection in ``test_hostile_peers``.
Lists are walked inside a test: an application for each entry would cost minutes.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.api import guard
from app.core.config import Settings
from app.db.models import Dataset, Job, LanguageModel, TrainingTemplate
from app.main import create_app
from app.services import upload_service
from tests.api import hostile_inputs as hostile
from tests.api.asserts import data_of, error_of

pytestmark = pytest.mark.fault(24)
IMPORT = "/api/v1/datasets/import"
DOWNLOADS = ("/api/v1/datasets/download", "/api/v1/models/download")
TEMPLATES = "/api/v1/templates/training"
NO_TEMPLATE = f"{TEMPLATES}/00000000-0000-4000-8000-000000000000"
CORPUS = {"builtin": "python-docs", "name": "docs"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def _changes_nothing(session: Session) -> Iterator[None]:
    """No request of these tests may leave anything behind."""
    before = _counts(session)
    yield
    assert _counts(session) == before


def _counts(session: Session) -> list[int | None]:
    tables = (Dataset, LanguageModel, Job, TrainingTemplate)
    return [session.scalar(select(func.count()).select_from(table)) for table in tables]


def test_only_json_is_read(client: TestClient) -> None:
    """A form or plain text is what a foreign page may send without asking first."""
    for kind in hostile.FOREIGN_KINDS:
        response = client.post(IMPORT, content=json.dumps(CORPUS), headers={"Content-Type": kind})
        error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE", "application/json")
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    error_of(client.post(IMPORT, content="{}", headers=headers), 400, "VALIDATION_ERROR")
    response = client.post("/api/v1/datasets/upload", content="{}", headers=JSON)
    error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE", "multipart/form-data")


def test_another_site_sets_nothing_going(client: TestClient) -> None:
    """An image on any page may ask for an ablation, which is work for the model."""
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    for path in ("/api/v1/features/1/ablation", "/api/v1/features?live=true", "/api/v1/datasets"):
        error_of(client.get(path, headers=foreign), 403, "FORBIDDEN_ORIGIN", "other web pages")
    assert client.get("/docs", headers=foreign | {"Sec-Fetch-Mode": "navigate"}).status_code == 200
    for site in ("none", "same-origin", "same-site"):  # typed, our page, the page in development
        data_of(client.get("/api/v1/datasets", headers={"Sec-Fetch-Site": site}))


def test_a_field_has_one_spelling_in_a_body(client: TestClient) -> None:
    for url in DOWNLOADS:
        response = client.post(url, json={"repoId": "a/b", "repo_id": "c/d"})
        error_of(response, 400, "VALIDATION_ERROR", "repo_id is given twice")


def test_a_token_in_the_wrong_field_is_not_echoed(client: TestClient) -> None:
    canary = "hf_" + "canary" * 5
    for body in ({"repo_id": f"{canary}/x/y"}, {"repo_id": "a/b", "authorization": canary}):
        for url in DOWNLOADS:
            assert "canary" not in client.post(url, json=body).text


def test_no_path_leaves_its_folder(client: TestClient) -> None:
    for path in hostile.TRAVERSALS:
        for method in ("GET", "HEAD", "DELETE"):
            response = client.request(method, path)
            # Where the page is built, an unknown address shows it.
            is_page = response.headers["content-type"].startswith("text/html")
            assert is_page or response.status_code in {400, 404, 405}, (method, path)
            assert "root:" not in response.text


def test_no_import_path_is_odd(client: TestClient, settings: Settings) -> None:
    ours = (settings.home, settings.run_dir / "services.json", settings.home.parent)
    for given in [*hostile.ODD_PATHS, *map(str, ours)]:
        for url in (IMPORT, "/api/v1/models/import"):
            response = client.post(url, json={"name": "x", "path": given})
            error_of(response, 400, "VALIDATION_ERROR")


def test_no_link_in_a_folder_leads_to_our_own_files(
    client: TestClient, settings: Settings, tmp_path: Path
) -> None:
    (own := settings.home / "linked.txt").write_text("a secret")
    (tmp_path / "corpus.txt").symlink_to(own)
    response = client.post(IMPORT, json={"name": "x", "path": str(tmp_path)})
    own.unlink()
    error_of(response, 400, "VALIDATION_ERROR", "own files")


def test_a_configuration_nested_without_end_is_refused(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("[" * 100_000 + "]" * 100_000)
    response = client.post("/api/v1/models/import", json={"path": str(tmp_path)})
    error_of(response, 400, "MODEL_FORMAT_INVALID", "is not JSON")
    with (tmp_path / "config.json").open("r+b") as file:
        file.truncate(10_000_000_000)  # without a byte on the disk
    response = client.post("/api/v1/models/import", json={"path": str(tmp_path)})
    error_of(response, 400, "MODEL_FORMAT_INVALID", "too large")


def test_no_json_upsets_the_server(client: TestClient) -> None:
    for content in [*(text.encode() for text in hostile.ODD_JSON), *hostile.ODD_BYTES]:
        for method, url in (("POST", TEMPLATES), ("PUT", NO_TEMPLATE)):
            response = client.request(method, url, content=content, headers=JSON)
            error_of(response, 400, "VALIDATION_ERROR")


def test_a_crowded_body_is_refused_as_a_whole(client: TestClient) -> None:
    """A refusal of each of its fields would keep the event loop for seconds."""
    for content, reason in hostile.CROWDED_JSON.items():
        for method, url in (("POST", TEMPLATES), ("PUT", NO_TEMPLATE)):
            response = client.request(method, url, content=content, headers=JSON)
            error_of(response, 400, "VALIDATION_ERROR", reason)
            assert len(response.content) < 1_000


def test_no_query_upsets_the_server(client: TestClient) -> None:
    for query in hostile.ODD_QUERIES:
        error_of(client.get(f"/api/v1/trainings?{query}"), 400, "VALIDATION_ERROR")
    for query in hostile.ODD_SEARCHES:
        assert data_of(client.get(f"/api/v1/datasets?{query}")) == []


def test_ids_out_of_range_are_no_ids(client: TestClient) -> None:
    for given in hostile.ODD_IDS:
        response = client.get(f"/api/v1/features/{given}")
        assert response.status_code in {400, 404}, given
        assert response.json()["error"]["code"] in {"VALIDATION_ERROR", "NOT_FOUND"}


def test_unknown_methods(client: TestClient) -> None:
    for method in hostile.ODD_METHODS:
        error_of(client.request(method, "/api/v1/datasets"), 405, "METHOD_NOT_ALLOWED")


def test_a_body_without_a_length_is_counted(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MAX_BODY_BYTES", 1000)
    chunks = iter([b'{"name": "', *[b"x" * 100] * 20])
    response = client.post(TEMPLATES, content=chunks, headers=JSON)
    error_of(response, 413, "PAYLOAD_TOO_LARGE")


def test_a_length_that_is_none(client: TestClient) -> None:
    for length in hostile.ODD_LENGTHS:
        headers = JSON | {"Content-Length": length.encode()}
        error_of(client.post(TEMPLATES, content=b"{}", headers=headers), 413, "PAYLOAD_TOO_LARGE")


def test_an_upload_stops_at_its_cap(settings: Settings, session: Session) -> None:
    cache = settings.data_root / "cache"
    before = set(cache.glob("upload-*"))
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    app = create_app(settings.model_copy(update={"max_upload_bytes": 50_000}))
    with TestClient(app, base_url="http://localhost") as capped:
        chunks = iter([head, *[b"y" * 10_000] * 20])
        response = capped.post("/api/v1/datasets/upload", content=chunks, headers=headers)
    error_of(response, 413, "PAYLOAD_TOO_LARGE")
    assert set(cache.glob("upload-*")) == before


def test_only_an_upload_may_be_as_large_as_one(client: TestClient) -> None:
    """Elsewhere the body is read into memory before anybody looks at the id in the address."""
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    too_long = str(guard.MAX_BODY_BYTES + 1)
    wrong_kind = client.put(f"{TEMPLATES}/upload", content=b"{}", headers=form)
    error_of(wrong_kind, 415, "UNSUPPORTED_MEDIA_TYPE", "application/json")
    for method, url in (("PUT", f"{TEMPLATES}/upload"), ("PATCH", "/api/v1/features/upload")):
        headers = JSON | {"Content-Length": too_long}
        response = client.request(method, url, content=b"{}", headers=headers)
        error_of(response, 413, "PAYLOAD_TOO_LARGE")
    for method in ("TRACE", "PUT"):
        response = client.request(method, "/api/v1/datasets/upload", content=b"{}", headers=form)
        error_of(response, 405, "METHOD_NOT_ALLOWED")


def test_the_guard_knows_every_upload(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    bodies = {
        path: siblings["post"]["requestBody"]["content"]
        for path, siblings in paths.items()
        if "requestBody" in siblings.get("post", {})
    }
    forms = {path for path, content in bodies.items() if guard.FORM in content}
    assert forms == guard.UPLOADS


def test_an_upload_names_no_place(settings: Settings) -> None:
    for filename in hostile.ODD_FILENAMES:
        field = f'form-data; name="file"; filename="{filename}"'
        body = f"--x\r\nContent-Disposition: {field}\r\n\r\nhi\r\n--x--\r\n".encode()
        upload = upload_service.receive(settings, "multipart/form-data; boundary=x", iter([body]))
        assert upload.path.parent.parent == settings.data_root / "cache"
        assert not upload.path.name.startswith(".")
        upload.discard()


def test_a_token_is_one_word(client: TestClient) -> None:
    """HTTP clients tell in their errors, and so in a job's log, which header they refuse."""
    for token in hostile.ODD_TOKENS:
        for url in DOWNLOADS:
            response = client.post(url, json={"repo_id": "a/b", "access_token": token})
            error_of(response, 400, "VALIDATION_ERROR", "copy it again")
            assert "canary" not in response.text


def test_a_refused_body_is_told_what_it_should_be(client: TestClient) -> None:
    for content, words in {
        b"[]": "The body must be a JSON object",
        b'"text"': "The body must be a JSON object",
        b"": "needs a body in JSON",
        b"{": "not valid JSON",
        b'{"name": "\xff"}': "not in UTF-8",
        b"[" * 100_000: "nested too deeply",
    }.items():
        for method, url in (("POST", TEMPLATES), ("PUT", NO_TEMPLATE), ("PATCH", NO_TEMPLATE)):
            response = client.request(method, url, content=content, headers=JSON)
            error_of(response, 400, "VALIDATION_ERROR", words)


def test_a_repository_is_a_name_and_no_address(client: TestClient) -> None:
    for repo_id in hostile.ADDRESSES_AS_REPOS:
        for url in DOWNLOADS:
            error_of(client.post(url, json={"repo_id": repo_id}), 400, "VALIDATION_ERROR")
