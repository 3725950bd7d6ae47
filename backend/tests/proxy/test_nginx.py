"""nginx as the containers have it, in front of the whole product."""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio

from app.supervisor.ports import pick_port
from app.websocket.server import SOCKET_PATH
from tests.fixtures.proxy import NGINX, Proxy, serve
from tests.fixtures.stack import Stack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed here"),
]

DEADLINE_SECONDS = 60.0
BURST = 200
LARGE_BYTES = 300 * 1024**2
PIECE = b"The cat sat on the mat and thought of nothing at all.\n" * 20_000
BOUNDARY = "a-boundary"
TOO_LONG = "x" * 5000  # for a field beside the file
LONG = "long enough to be compressed " * 60


@pytest.fixture
def proxy(stack: Stack, tmp_path: Path) -> Iterator[Proxy]:
    """A server of its own for each test: limits are counted by address."""
    with serve(tmp_path, address_of(stack)) as running:
        yield running


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.http, timeout=DEADLINE_SECONDS) as client:
        yield client


def address_of(stack: Stack) -> str:
    return str(stack.client.base_url).removesuffix("/api/v1/")


def trust(proxy: Proxy) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(proxy.folder / "fullchain.pem"))


def error_of(response: httpx.Response) -> dict[str, Any]:
    """The error in the envelope that the API uses, too."""
    body = response.json()
    assert set(body) == {"error", "meta"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "details", "retryable", "timestamp"}
    return error


def test_every_address_of_the_page_is_the_page(client: httpx.Client) -> None:
    for path in ("/", "/training/7", "/features?sort=score"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert '<div id="root">' in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert client.get("/assets/none-12345678.js").status_code == 404


def test_files_with_a_hash_are_kept_for_a_year_and_come_compressed(client: httpx.Client) -> None:
    answer = client.get("/assets/index-BO9pJLdb.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text.startswith("console.log('page');")
    plain = client.get("/assets/index-BO9pJLdb.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text


def test_the_api_answers_as_it_does_without_it(stack: Stack, client: httpx.Client) -> None:
    direct, through = stack.client.get("/system/info"), client.get("/api/v1/system/info")
    assert through.json()["data"]["version"] == direct.json()["data"]["version"]
    assert client.get("/openapi.json").headers["content-encoding"] == "gzip"
    assert through.headers["x-content-type-options"] == "nosniff"
    for path in ("/docs", "/redoc", "/openapi.json", "/metrics"):
        assert client.get(path).status_code == 200, path
    foreign = client.get("/api/v1/system/info", headers={"Host": "elsewhere.example"})
    assert foreign.status_code == 403, "the Host that a browser named is the one that is judged"


def test_a_change_names_the_state_that_a_compressed_answer_showed(client: httpx.Client) -> None:
    body = {"name": "through nginx", "layers": [0], "hookTypes": ["mlp"], "description": LONG}
    made = client.post("/api/v1/templates/extraction", json=body)
    assert made.status_code == 201, made.text
    path = f"/api/v1/templates/extraction/{made.json()['data']['id']}"
    seen = client.get(path).headers["etag"]
    assert client.get(path, headers={"If-None-Match": seen}).status_code == 304
    assert client.delete(path, headers={"If-Match": seen}).is_success


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_events_arrive_over_a_websocket(proxy: Proxy, stack: Stack, scheme: str) -> None:
    address = proxy.http if scheme == "http" else proxy.https
    options = {"sslopt": {"ca_certs": str(proxy.folder / "fullchain.pem")}}
    with socketio.SimpleClient(websocket_extra_options=options) as listener:
        listener.connect(
            address,
            transports=["websocket"],
            socketio_path=SOCKET_PATH,
            wait_timeout=int(DEADLINE_SECONDS),
        )
        assert listener.call("subscribe", {"room": "jobs"}, timeout=DEADLINE_SECONDS)["ok"]
        docs = {"builtin": "python-docs", "name": f"over {scheme}", "max_documents": 2}
        accepted = stack.post("/datasets/import", docs)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            name, event = listener.receive(timeout=DEADLINE_SECONDS)
            if name == "job.updated" and event["data"]["id"] == accepted["job_id"]:
                break
        else:
            raise AssertionError("no event about the job")
    stack.succeed(accepted)


def test_https_serves_page_and_api_and_says_to_stay(proxy: Proxy) -> None:
    with httpx.Client(base_url=proxy.https, verify=trust(proxy)) as client:
        page, api = client.get("/steering"), client.get("/api/v1/system/info")
        assert '<div id="root">' in page.text
        assert api.status_code == 200
        for answer in (page, api):
            assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_large_upload_reaches_the_disk_while_it_is_sent(
    proxy: Proxy, stack: Stack, client: httpx.Client
) -> None:
    """nginx holds it neither in memory nor on disk. Its last field is wrong, so nothing stays."""
    cache, resting = stack.settings.data_root / "cache", proxy.resident_bytes
    pieces = LARGE_BYTES // len(PIECE)

    def stored() -> int:
        return sum(file.stat().st_size for file in cache.glob("upload-*/*"))

    def body() -> Iterator[bytes]:
        yield (
            f"--{BOUNDARY}\r\n"
            'Content-Disposition: form-data; name="file"; filename="large.txt"\r\n\r\n'
        ).encode()
        for number in range(pieces):
            yield PIECE
            # What was sent is on disk soon, although more is to come.
            if number in {1, pieces - 1}:
                wait_until(lambda so_far=number: stored() > so_far * len(PIECE))  # type: ignore[misc]
        assert proxy.resident_bytes - resting < 16 * 1024**2
        assert not [it for it in proxy.folder.glob("nginx-body/**/*") if it.is_file()]
        yield (
            f"\r\n--{BOUNDARY}\r\n"
            f'Content-Disposition: form-data; name="name"\r\n\r\n{TOO_LONG}'
            f"\r\n--{BOUNDARY}--\r\n"
        ).encode()

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = client.post("/api/v1/datasets/upload", content=body(), headers=headers)
    assert answer.status_code == 400, answer.text
    assert error_of(answer)["code"] == "VALIDATION_ERROR"
    assert stored() == 0


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def test_other_bodies_have_a_limit(client: httpx.Client) -> None:
    answer = client.post("/api/v1/templates/extraction", content=bytes(11 * 1024**2))
    assert answer.status_code == 413
    assert error_of(answer)["code"] == "PAYLOAD_TOO_LARGE"


def test_too_many_requests_are_told_when_to_come_again(client: httpx.Client) -> None:
    answers = [client.get("/api/v1/system/info") for _ in range(BURST)]
    assert all(answer.is_success for answer in answers), "a page that opens asks a lot at once"
    refused = next(
        answer
        for answer in (client.get("/api/v1/system/info") for _ in range(BURST))
        if not answer.is_success
    )
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert error_of(refused)["retryable"] is True
    for path in ("/api/v1/health", "/api/v1/health/live", "/api/v1/health/ready"):
        assert all(client.get(path).is_success for _ in range(20)), path


def test_downloads_have_a_tighter_limit(client: httpx.Client) -> None:
    # One more is let through every six seconds.
    statuses = [client.post("/api/v1/models/download", json={}).status_code for _ in range(20)]
    assert statuses[:6] == [400] * 6
    assert 429 in statuses[6:]


def test_a_server_that_is_away_is_told_in_the_envelope(tmp_path: Path) -> None:
    with (
        serve(tmp_path, f"http://127.0.0.1:{pick_port()}") as proxy,
        httpx.Client(base_url=proxy.http, timeout=DEADLINE_SECONDS) as client,
    ):
        answer = client.get("/api/v1/system/info")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert error_of(answer)["code"] == "SERVICE_UNAVAILABLE"
        assert client.get("/training/7").status_code == 200
