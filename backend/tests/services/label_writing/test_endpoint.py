"""Labels come from this machine only, by a server that answers as it should."""

import socket
from collections.abc import Iterator

import pytest

from app.services.label_writing.endpoint import (
    MAX_ANSWER_BYTES,
    EndpointWriter,
    NotOnThisMachine,
    WriterFailed,
    check_address,
)
from tests.fixtures.label_server import LabelServer, serve_labels

QUESTION = [{"role": "user", "content": "What?"}]


@pytest.fixture
def server() -> Iterator[LabelServer]:
    with serve_labels() as running:
        yield running


def ask(address: str) -> str:
    writer = EndpointWriter(address, "small")
    try:
        return writer.answer(QUESTION)
    finally:
        writer.close()


def test_a_server_of_this_machine_answers(
    server: LabelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:1")  # not used
    assert ask(server.address) == "names of cats"
    [asked] = server.asked
    assert (asked["model"], asked["messages"], asked["temperature"]) == ("small", QUESTION, 0)
    assert server.paths == ["/v1/chat/completions"]


@pytest.mark.parametrize(
    "address",
    [
        "http://192.0.2.7/v1",
        "http://169.254.169.254/latest",
        "http://[::ffff:192.0.2.7]/v1",
        "http://0.0.0.0:80/v1",
        "https://127.0.0.1/v1",
        "http://user@127.0.0.1/v1",
        "http://127.0.0.1/v1?next=x",
        "file:///etc/passwd",
        "http://127.0.0.1:99999/v1",
        "127.0.0.1:80",
        "http://no-such-host.invalid/v1",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(NotOnThisMachine):
        check_address(address)


def test_a_name_that_also_leads_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (ip, port)) for ip in ("127.0.0.1", "192.0.2.7")]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(NotOnThisMachine, match="not this machine"):
        check_address("http://rebound.test/v1")


def test_a_name_is_looked_up_once() -> None:
    base, host = check_address("http://localhost:11434/v1/")
    assert base in {"http://127.0.0.1:11434/v1", "http://[::1]:11434/v1"}
    assert host == "localhost:11434"


def test_a_redirect_is_not_followed(server: LabelServer) -> None:
    server.status, server.headers = 307, {"Location": "http://192.0.2.7/v1/chat/completions"}
    with pytest.raises(WriterFailed, match="HTTP 307"):
        ask(server.address)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"<html>", "no JSON"),
        (b"{}", "holds no text"),
        (b'{"choices": [{"message": {"content": null}}]}', "holds no text"),
        (b"x" * (MAX_ANSWER_BYTES + 1), "larger than a label"),
    ],
)
def test_what_is_no_answer_is_an_error_and_no_label(
    server: LabelServer, raw: bytes, sentence: str
) -> None:
    server.raw = raw
    with pytest.raises(WriterFailed, match=sentence):
        ask(server.address)


def test_a_server_that_is_away_is_told_with_what_to_do() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(WriterFailed, match="Start it, then repeat this job"):
        ask(address)
