"""The record's limits, by a real bucket in a real Valkey."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from fastapi.testclient import TestClient

from app.api import rate_limit
from app.api.rate_limit import EVERYTHING, OF_POSTS, Limit
from app.core.config import Settings
from app.main import create_app
from tests.api.asserts import data_of, error_of

LAN = ("192.0.2.7", 40_000)
URL = "/api/v1/jobs"


@pytest.fixture
def broker(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.require_redis_url()) as broker:
        yield broker
        broker.flushdb()


def peer(settings: Settings, client: tuple[str, int] = LAN, **changes: Any) -> TestClient:
    app = create_app(settings.model_copy(update=changes))
    return TestClient(app, base_url="http://localhost", client=client)


def test_the_numbers_are_the_records() -> None:
    assert (EVERYTHING.capacity, EVERYTHING.seconds) == (100, 60)
    found = {path.removeprefix("/api/v1/"): (limit.capacity, limit.seconds)
             for path, limit in OF_POSTS.items()}  # fmt: skip
    assert found == {
        "datasets/download": (10, 3600),
        "models/download": (10, 3600),
        "saes/download": (10, 3600),  # not in the record; as models are
        "steering/generate": (20, 3600),
        "steering/sweep": (20, 3600),  # not in the record; as one generation is
    }


def test_the_bucket_empties_and_says_when_to_come_back(
    settings: Settings, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "EVERYTHING", Limit("api", 3, 6000))
    with peer(settings) as client:
        left = [client.get(URL).headers["X-RateLimit-Remaining"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        refused = client.get(URL)
        error = error_of(refused, 429, "RATE_LIMIT_EXCEEDED", "Try again in")
        assert error["retryable"]
        assert 1900 <= int(refused.headers["Retry-After"]) <= 2000, "one token in 6000 / 3 s"
        assert refused.headers["X-RateLimit-Limit"] == "3"
        now = int(broker.time()[0])
        assert now + 5900 <= int(refused.headers["X-RateLimit-Reset"]) <= now + 6002
        assert client.get("/api/v1/health/live").status_code == 200, "health is never limited"
    with peer(settings, ("192.0.2.8", 1)) as other:
        data_of(other.get(URL))
    [key] = broker.keys("mistudio:rate:api:192.0.2.7")
    assert 0 < broker.pttl(key) <= 6_002_000


def test_the_bucket_fills_with_time(
    settings: Settings, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "EVERYTHING", Limit("api", 2, 2000))
    with peer(settings) as client:
        for _ in range(2):
            client.get(URL)
        assert client.get(URL).status_code == 429
        key = "mistudio:rate:api:192.0.2.7"
        then = float(broker.hget(key, "at")) - 1000
        broker.hset(key, "at", then)  # as if the time of one token had passed
        assert client.get(URL).status_code == 200
        assert client.get(URL).status_code == 429
        broker.hset(key, "at", float(broker.time()[0]) + 50_000)  # a clock that went back
        assert client.get(URL).status_code == 429


def test_downloads_have_a_bucket_of_their_own(settings: Settings, broker: redis.Redis) -> None:
    with peer(settings) as client:
        url = "/api/v1/models/download"
        codes = [client.post(url, json={"repo_id": "../x"}).status_code for _ in range(11)]
        assert codes == [400] * 10 + [429]
        refused = client.post(url, json={"repo_id": "../x"})
        assert refused.headers["X-RateLimit-Limit"] == "10"
        assert 0 < int(refused.headers["Retry-After"]) <= 360
        assert client.get(URL).status_code == 200


def test_a_text_read_again_is_a_steered_text(settings: Settings, broker: redis.Redis) -> None:
    with peer(settings) as client:
        runs = "/api/v1/steering/runs/00000000-0000-4000-8000-00000000000"
        codes = [client.post(f"{runs}{n % 10}/replay").status_code for n in range(21)]
        assert codes == [404] * 20 + [429]
        assert client.post("/api/v1/steering/generate", json={}).status_code == 429
        assert client.get(f"{runs}0").headers["X-RateLimit-Limit"] == "100"


def test_a_proxy_on_this_machine_lets_nobody_else_in(
    settings: Settings, broker: redis.Redis
) -> None:
    container = ("172.18.0.1", 1)  # how the machine's own browser looks from behind the proxy
    with peer(settings, container, door="127.0.0.1") as client:
        assert "X-RateLimit-Limit" not in client.get(URL).headers
    for door in ("0.0.0.0", "192.168.1.5", ""):
        with peer(settings, container, door=door) as client:
            assert client.get(URL).headers["X-RateLimit-Limit"] == "100"
    with peer(settings, container, door="127.0.0.1", rate_limit_loopback=True) as client:
        assert client.get(URL).headers["X-RateLimit-Limit"] == "100"


def test_this_machine_is_exempt_unless_asked_for(settings: Settings, broker: redis.Redis) -> None:
    for address in ("127.0.0.1", "::1", "127.8.8.8"):
        with peer(settings, (address, 1)) as client:
            assert "X-RateLimit-Limit" not in client.get(URL).headers
    with peer(settings, ("127.0.0.1", 1), rate_limit_loopback=True) as client:
        assert client.get(URL).headers["X-RateLimit-Limit"] == "100"


def test_without_redis_requests_pass_and_the_log_says_so(
    settings: Settings, session: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with peer(settings, redis_url="redis://127.0.0.1:1/0") as client:
        for _ in range(3):
            data_of(client.get(URL))
    lines = [line for line in capsys.readouterr().err.splitlines() if "rate limits are off" in line]
    assert len(lines) == 1, "one line, not one for each request"
