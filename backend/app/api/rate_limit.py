"""The record's rate limits: one token bucket per client and purpose, kept in Redis.

A bucket is refilled and emptied by one script, by Redis's own clock, so that several API processes
share it and no jump of a clock matters. Without Redis requests pass: a limit protects a server
from a network, not its owner from his own page.
"""

import logging
import math
import re
import time
from dataclasses import dataclass

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import error_response
from app.core.config import Settings
from app.core.enums import ErrorCode
from app.core.errors import AppError, ServiceUnavailable
from app.core.security import is_loopback

logger = logging.getLogger(__name__)

API_PREFIX = "/api/"
UNLIMITED_PREFIX = "/api/v1/health"
REDIS_TIMEOUT_SECONDS = 0.25
# After Redis failed, so that each request does not wait for it again.
PAUSE_SECONDS = 5.0

# KEYS[1] bucket; ARGV capacity, seconds to refill it. Returns allowed, tokens left, seconds until
# the next token, seconds until full. Numbers leave as text: Redis would cut them to integers.
TAKE = """
local capacity, period = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local rate = capacity / period
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(bucket[1]) or capacity
local at = tonumber(bucket[2]) or now
tokens = math.min(capacity, tokens + math.max(0, now - at) * rate)
local allowed = 0
if tokens >= 1 then
  tokens = tokens - 1
  allowed = 1
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
local full = (capacity - tokens) / rate
redis.call('PEXPIRE', KEYS[1], math.ceil(full * 1000) + 1000)
return {allowed, tostring(tokens), tostring(math.max(0, 1 - tokens) / rate), tostring(now + full)}
"""


@dataclass(frozen=True)
class Limit:
    """``capacity`` requests in ``seconds``, refilled evenly."""

    name: str
    capacity: int
    seconds: float


EVERYTHING = Limit("api", 100, 60)
STEERING = Limit("steering", 20, 3600)
OF_POSTS = {
    "/api/v1/datasets/download": Limit("dataset-downloads", 10, 3600),
    "/api/v1/models/download": Limit("model-downloads", 10, 3600),
    "/api/v1/saes/download": Limit("sae-downloads", 10, 3600),
    "/api/v1/steering/generate": STEERING,
    "/api/v1/steering/sweep": STEERING,
}
REPLAY = re.compile(r"/api/v1/steering/runs/[^/]+/replay")


class RateLimitExceeded(AppError):
    code = ErrorCode.RATE_LIMIT_EXCEEDED
    status = 429
    retryable = True


@dataclass(frozen=True)
class Taken:
    """What a bucket said."""

    limit: Limit
    is_allowed: bool
    remaining: int
    retry_after_seconds: int
    full_at: int

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit.capacity),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.full_at),
        }


class Buckets:
    """The door to Redis; says None, and why in the log, when it is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: redis.Redis | None = None
        self._silent_until = 0.0

    async def take(self, limit: Limit, client: str) -> Taken | None:
        if time.monotonic() < self._silent_until:
            return None
        try:
            answer = await self._ask(f"mistudio:rate:{limit.name}:{client}", limit)
        except (RedisError, OSError, ServiceUnavailable) as error:
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("rate limits are off, Redis is away", extra={"reason": str(error)})
            return None
        allowed, tokens, wait, full_at = answer
        return Taken(
            limit=limit,
            is_allowed=bool(allowed),
            remaining=int(float(tokens)),
            retry_after_seconds=max(1, math.ceil(float(wait))),
            full_at=math.ceil(float(full_at)),
        )

    async def _ask(self, key: str, limit: Limit) -> list[bytes]:
        if self._client is None:
            self._client = redis.Redis.from_url(
                self._settings.require_redis_url(),
                socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
                socket_timeout=REDIS_TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        answer: list[bytes] = await self._client.eval(TAKE, 1, key, limit.capacity, limit.seconds)
        return answer


class RateLimit:
    """Counts what a client asks for below ``/api``, health apart; tells it where it stands."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._buckets = Buckets(settings)
        self._loopback_too = settings.rate_limit_loopback
        self._all_are_here = bool(settings.door) and is_loopback(settings.door)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = (scope.get("client") or ("",))[0]
        if not self._is_limited(scope, client):
            await self.app(scope, receive, send)
            return
        taken = await self._take(scope, client)
        if taken is None:
            await self.app(scope, receive, send)
        elif taken.is_allowed:
            await self.app(scope, receive, _with_headers(send, taken.headers()))
        else:
            await _refusal(scope, taken)(scope, receive, send)

    def _is_limited(self, scope: Scope, client: str) -> bool:
        if scope["type"] != "http" or not scope["path"].startswith(API_PREFIX):
            return False
        if scope["path"].startswith(UNLIMITED_PREFIX):
            return False
        return self._loopback_too or not (self._all_are_here or is_loopback(client))

    async def _take(self, scope: Scope, client: str) -> Taken | None:
        """Take from every bucket that counts; the one that refuses, else the emptier one."""
        special = _special(scope)
        taken = await self._buckets.take(EVERYTHING, client)
        if special is None or taken is None or not taken.is_allowed:
            return taken
        return await self._buckets.take(special, client)


def _special(scope: Scope) -> Limit | None:
    if scope["method"] != "POST":
        return None
    return STEERING if REPLAY.fullmatch(scope["path"]) else OF_POSTS.get(scope["path"])


def _with_headers(send: Send, values: dict[str, str]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(values)
        await send(message)

    return send_with_headers


def _refusal(scope: Scope, taken: Taken) -> ASGIApp:
    wait = taken.retry_after_seconds
    failure = RateLimitExceeded(
        f"Too many requests ({taken.limit.capacity} in {taken.limit.seconds:.0f} s are allowed). "
        f"Try again in {wait} s.",
        details={"limit": taken.limit.name, "retry_after_seconds": wait},
    )
    headers = taken.headers() | {"Retry-After": str(wait)}
    return error_response(Request(scope), failure, headers)
