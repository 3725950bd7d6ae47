"""A canary token goes through a real download, and is looked for wherever it might have stayed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
import redis

from tests.fixtures.invariants import (
    canary_in_database,
    canary_in_environments,
    canary_in_files,
)
from tests.fixtures.rig import wait_for
from tests.fixtures.stack import GLASS_EN, Stack

pytestmark = [pytest.mark.slow, pytest.mark.fault(22)]
CANARY = "hf_" + "Canary0" * 5
DEADLINE_SECONDS = 120
SHOWN_TO_CLIENTS = ("/jobs", "/models", "/health", "/system/info")


@pytest.fixture
def private_model(stack: Stack) -> Iterator[str]:
    """A repository that gives nothing without the token, and its files only when told to."""
    files = {path.name: path.read_bytes() for path in GLASS_EN.iterdir() if path.suffix != ".py"}
    name = f"org/private-{uuid4().hex[:8]}"
    stack.hub.add("models", name, files, token=CANARY)
    stack.hub.asked_for_file.clear()
    stack.hub.opened.clear()
    yield name
    stack.hub.opened.set()


def test_a_token_is_nowhere_while_it_is_used_and_afterwards(
    stack: Stack, private_model: str
) -> None:
    body = {"repoId": private_model, "accessToken": CANARY}
    answer = stack.client.post("/models/download", json=body)
    assert CANARY not in answer.text
    job_id = answer.json()["data"]["job_id"]
    assert stack.hub.asked_for_file.wait(DEADLINE_SECONDS), "the download is under way"
    secret = _secret(stack, job_id)
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == (CANARY, 0o600)
    assert _traces(stack, job_id) == [f"I9: {secret}"]
    stack.hub.opened.set()
    assert stack.finish(job_id)["state"] == "succeeded"
    assert CANARY in stack.hub.tokens, "the hub was shown it"
    _assert_gone(stack, job_id)


def test_a_token_of_a_download_that_fails_goes_too(stack: Stack) -> None:
    body = {"repo_id": "org/nowhere-at-all", "access_token": CANARY}
    accepted = stack.post("/models/download", body)
    job = stack.finish(accepted["job_id"])
    assert (job["state"], job["error_code"]) == ("failed", "REPO_NOT_FOUND")
    _assert_gone(stack, accepted["job_id"])


def test_a_token_of_a_download_that_is_cancelled_goes_too(stack: Stack, private_model: str) -> None:
    accepted = stack.post("/models/download", {"repo_id": private_model, "access_token": CANARY})
    job_id = accepted["job_id"]
    assert stack.hub.asked_for_file.wait(DEADLINE_SECONDS), "the download is under way"
    stack.post(f"/jobs/{job_id}/cancel", {})
    assert stack.finish(job_id)["state"] == "cancelled", "while the hub still keeps it waiting"
    _assert_gone(stack, job_id)


def _secret(stack: Stack, job_id: str) -> Path:
    return stack.settings.run_dir / "secrets" / job_id


def _assert_gone(stack: Stack, job_id: str) -> None:
    """Its file goes once the job's end is committed, so a moment after that can be seen."""
    wait_for(lambda: not _secret(stack, job_id).exists(), "the token's end")
    assert _traces(stack, job_id) == []


def _traces(stack: Stack, job_id: str) -> list[str]:
    """Every place that holds the canary."""
    with stack.session() as session:
        found = canary_in_database(session, CANARY)
    found += canary_in_environments(stack.settings.home, CANARY)
    found += canary_in_files(stack.settings.home, CANARY)
    return [*found, *_redis(stack), *_arguments(), *_answers(stack, job_id)]


def _redis(stack: Stack) -> list[str]:
    with redis.Redis.from_url(stack.settings.require_redis_url()) as client:
        return [f"redis {key!r}" for key in client.scan_iter() if CANARY in _content(client, key)]


def _content(client: redis.Redis, key: bytes) -> str:
    """A key with its value in words, whatever its type is."""
    read: dict[bytes, Any] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"list": lambda k: client.lrange(k, 0, -1),
        b"zset": lambda k: client.zrange(k, 0, -1),
    }
    kind: Any = client.type(key)
    return repr((key, read[kind](key))) if kind != b"none" else ""


def _arguments() -> list[str]:
    return [
        f"arguments of {process.pid}"
        for process in psutil.process_iter(["cmdline"])
        if any(CANARY in part for part in process.info["cmdline"] or ())
    ]


def _answers(stack: Stack, job_id: str) -> list[str]:
    paths = (f"/jobs/{job_id}", f"/jobs/{job_id}/log?lines=5000", *SHOWN_TO_CLIENTS)
    return [path for path in paths if CANARY in stack.client.get(path).text]


def test_no_other_user_can_enter_the_folders(stack: Stack) -> None:
    home = stack.settings.home
    folders = [home, *(home / name for name in ("data", "logs", "run")), *(home / "data").iterdir()]
    assert len(folders) > 8
    open_ones = [str(path) for path in folders if path.is_dir() and path.stat().st_mode & 0o077]
    assert open_ones == []
