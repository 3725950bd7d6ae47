"""Fault 24 on a real connection: slow clients, foreign sockets, half requests."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from app.api import guard

pytestmark = pytest.mark.fault(24)
SLOW_CLIENTS = 200
# Less than the patience with slow clients, more than a busy machine needs.
ANSWER_SECONDS = 20
CONNECTION_SECONDS = 120
HANDSHAKE = "/ws/socket.io/?EIO=4&transport="
UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


def _connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port), timeout=CONNECTION_SECONDS)


@pytest.fixture
def slow(address: str) -> Iterator[list[socket.socket]]:
    """Clients that began a request and never go on: half in the head, half in the body."""
    with ExitStack() as stack:
        peers = []
        for number in range(SLOW_CLIENTS):
            peer = stack.enter_context(_connect(address))
            peer.sendall(b"POST /api/v1/datasets/import HTTP/1.1\r\nHost: localhost\r\n")
            if number % 2:
                peer.sendall(b"Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
            peers.append(peer)
        yield peers


def test_slow_clients_do_not_stop_others(address: str, slow: list[socket.socket]) -> None:
    for path in ("health/live", "health/ready", "datasets"):
        assert httpx.get(f"{address}/api/v1/{path}", timeout=ANSWER_SECONDS).status_code == 200
    assert len(slow) == SLOW_CLIENTS


def test_a_body_that_stops_is_given_up(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_PATIENCE_SECONDS", 0.2)
    with _connect(address) as peer:
        peer.sendall(
            b"POST /api/v1/datasets/import HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
        answer = peer.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_slow_uploads_leave_threads_for_others(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = (
        b"POST /api/v1/datasets/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
    )
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(_connect(address)).sendall(head)
        assert httpx.get(f"{address}/api/v1/datasets", timeout=ANSWER_SECONDS).status_code == 200
        one_more = httpx.post(
            f"{address}/api/v1/datasets/upload",
            files={"file": ("a.txt", b"x")},
            timeout=ANSWER_SECONDS,
        )
        assert one_more.status_code == 503
        assert one_more.json()["error"]["retryable"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example"]
)
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_foreign_pages_get_no_socket(address: str, origin: str, transport: str) -> None:
    headers = {"Origin": origin} | (UPGRADE if transport == "websocket" else {})
    answer = httpx.get(f"{address}{HANDSHAKE}{transport}", headers=headers, timeout=ANSWER_SECONDS)
    assert answer.status_code in {400, 403}
    assert b"sid" not in answer.content


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_foreign_names_get_no_socket(address: str, transport: str) -> None:
    """A name that was re-bound to 127.0.0.1 arrives with its own Host."""
    headers = {"Host": "evil.example"} | (UPGRADE if transport == "websocket" else {})
    answer = httpx.get(f"{address}{HANDSHAKE}{transport}", headers=headers, timeout=ANSWER_SECONDS)
    assert answer.status_code == 403
    assert b"sid" not in answer.content


@pytest.mark.parametrize("path", ["/ws/other", "/ws/", "/ws/socket.io.bak/"])
def test_only_one_address_has_sockets(address: str, path: str) -> None:
    url = f"{address}{path}?EIO=4&transport=websocket"
    assert httpx.get(url, headers=UPGRADE, timeout=ANSWER_SECONDS).status_code == 403
    plain = httpx.get(url.replace("websocket", "polling"), timeout=ANSWER_SECONDS)
    assert (plain.status_code, plain.json()["error"]["code"]) == (404, "NOT_FOUND")


def _send_without_end(peer: socket.socket, begin: bytes, more: bytes) -> None:
    peer.sendall(begin)
    for _ in range(20_000):
        peer.sendall(more)


CHUNKED = (
    b"POST /api/v1/datasets/import HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
)


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"GET /", b"a" * 1000),
        (b"GET / HTTP/1.1\r\nX: ", b"a" * 1000),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-More: 1234567890\r\n" * 50),
        (CHUNKED + b"1;", b"a" * 1000),
        (CHUNKED + b"0\r\n", b"X-More: 1234567890\r\n" * 50),
    ],
    ids=["address", "header", "headers", "chunk", "trailers"],
)
def test_a_head_without_end_is_hung_up_on(address: str, begin: bytes, more: bytes) -> None:
    """It is kept in memory before anybody is asked whether the client may speak at all."""
    with _connect(address) as peer, pytest.raises((BrokenPipeError, ConnectionResetError)):
        _send_without_end(peer, begin, more)


def test_a_long_body_is_no_head(address: str) -> None:
    """Pieces of a byte each come with more bytes around them than they hold."""
    with _connect(address) as peer:
        peer.sendall(CHUNKED)
        for _ in range(50):
            peer.sendall(b"1\r\nx\r\n" * 1000)
        peer.sendall(b"0\r\n\r\n")
        assert peer.recv(4096).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "request_line", [b"\x16\x03\x01\x02\x00", b"GET /\x00 HTTP/1.1\r\n\r\n", b"G" * 70_000]
)
def test_what_is_no_http_is_hung_up_on(address: str, request_line: bytes) -> None:
    with _connect(address) as peer:
        answer = b""
        try:
            peer.sendall(request_line)
            peer.shutdown(socket.SHUT_WR)
            answer = peer.recv(4096)
        except TimeoutError:
            raise
        except OSError:
            pass  # it may be hung up on before all was sent
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    alive = httpx.get(f"{address}/api/v1/health/live", timeout=ANSWER_SECONDS)
    assert alive.status_code == 200
