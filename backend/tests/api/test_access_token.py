"""The optional token: everything asks for it, browsers get a cookie, nobody else gets in."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError
from starlette.websockets import WebSocketDisconnect

from app.api.access import OPEN_PATHS
from app.core.config import Settings
from app.core.security import COOKIE, cookie_value
from app.main import create_app
from tests.api.asserts import data_of, error_of

TOKEN = "a-token-of-some-length"


@pytest.fixture
def guarded(settings: Settings) -> Iterator[TestClient]:
    app = create_app(settings.model_copy(update={"token": SecretStr(TOKEN)}))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def test_every_address_asks(guarded: TestClient) -> None:
    document = guarded.get("/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    paths = [*document["paths"], "/docs", "/redoc", "/openapi.json", "/", "/metrics",
             "/docs/static/swagger-ui.css", "/ws/socket.io/"]  # fmt: skip
    assert len(paths) > 40
    for path in paths:
        if path in OPEN_PATHS:
            assert guarded.get(path).status_code == 200
            continue
        response = guarded.get(path)
        error_of(response, 401, "UNAUTHORIZED", "MISTUDIO_TOKEN")
        assert response.headers["WWW-Authenticate"].startswith("Basic ")
        assert TOKEN not in response.text


@pytest.mark.parametrize(
    "authorization",
    ["Bearer wrong", "Bearer ", "Basic !!!", "Basic eDp4", "Digest x", "Bearer \u00fc", TOKEN],
)
def test_nothing_else_is_a_token(guarded: TestClient, authorization: str) -> None:
    headers = {"Authorization": authorization.encode("utf-8")}
    error_of(guarded.get("/api/v1/jobs", headers=headers), 401, "UNAUTHORIZED")


def test_a_browser_asks_once(guarded: TestClient) -> None:
    first = guarded.get("/api/v1/jobs", auth=("anyone", TOKEN))
    data_of(first)
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    data_of(guarded.get("/api/v1/jobs"))
    guarded.cookies.clear()
    guarded.cookies.set(COOKIE, "0" * 64)
    error_of(guarded.get("/api/v1/jobs"), 401, "UNAUTHORIZED")


def test_sockets_ask_too(guarded: TestClient) -> None:
    url = "ws://localhost/ws/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(WebSocketDisconnect), guarded.websocket_connect(url):
        pass
    headers = {"Cookie": f"{COOKIE}={cookie_value(TOKEN)}"}
    handshake = "/ws/socket.io/?EIO=4&transport=polling"
    assert guarded.get(handshake).status_code == 401
    assert "sid" in guarded.get(handshake, headers=headers).text


def test_a_foreign_page_is_refused_before_it_is_asked(guarded: TestClient) -> None:
    headers = {"Origin": "https://evil.example", "Authorization": f"Bearer {TOKEN}"}
    error_of(guarded.post("/api/v1/jobs", headers=headers), 403, "FORBIDDEN_ORIGIN")


def test_without_a_token_nobody_is_asked(client: TestClient) -> None:
    data_of(client.get("/api/v1/jobs"))


def test_a_token_is_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTUDIO_TOKEN", "secret")
    with pytest.raises(ValidationError, match="at least 16"):
        Settings()
    monkeypatch.setenv("MISTUDIO_TOKEN", "")
    assert Settings().token is None


def test_an_open_server_says_so(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    open_ = settings.model_copy(update={"host": "0.0.0.0", "token": None})
    for given, is_open in ((open_, True), (open_.model_copy(update={"token": TOKEN}), False)):
        assert given.is_open_to_network is is_open
    with TestClient(create_app(open_), base_url="http://localhost"):
        pass
    assert "asks nobody for a token" in capsys.readouterr().err
