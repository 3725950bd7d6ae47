"""Settings: defaults, the environment, and the supervisor's file."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.core.config import Settings
from app.core.errors import ServiceUnavailable
from app.db.session import use_psycopg2


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "MISTUDIO_HOME", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_stay_on_this_machine() -> None:
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.home.is_absolute()
    assert settings.data_root == settings.home / "data"
    assert settings.trusted_hosts == {"localhost", "127.0.0.1", "::1"}


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTUDIO_HOME", "~/studio")
    monkeypatch.setenv("MISTUDIO_ALLOWED_HOSTS", "Studio.example, lab")
    monkeypatch.setenv("MISTUDIO_STOP_GRACE", "PT45S")
    monkeypatch.setenv("RATE_LIMIT_LOOPBACK", "true")
    settings = Settings()
    assert settings.home == Path("~/studio").expanduser()
    assert {"studio.example", "lab"} <= settings.trusted_hosts
    assert settings.stop_grace == timedelta(seconds=45)
    assert settings.rate_limit_loopback is True


def test_a_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="port"):
        Settings(port=70_000)


def test_given_servers_win_over_embedded_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    settings.run_dir.mkdir()
    services = {"database_url": "postgresql://a/b", "redis_url": "redis://c"}
    settings.services_file.write_text(json.dumps(services))
    assert settings.require_database_url() == "postgresql://a/b"
    assert settings.require_redis_url() == "redis://c"
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@h/d")
    monkeypatch.setenv("REDIS_URL", "redis://mine")
    settings = Settings(home=tmp_path)
    assert settings.require_database_url() == "postgres://u:p@h/d"
    assert settings.require_redis_url() == "redis://mine"


@pytest.mark.parametrize("content", [None, "", "{}", "[1"])
def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path, content: str | None) -> None:
    settings = Settings(home=tmp_path)
    if content is not None:
        settings.run_dir.mkdir()
        settings.services_file.write_text(content)
    with pytest.raises(ServiceUnavailable, match="make up"):
        settings.require_database_url()


def test_the_driver_is_ours() -> None:
    assert use_psycopg2("postgres://a/b") == "postgresql+psycopg2://a/b"
    assert use_psycopg2("postgresql+psycopg2://a/b") == "postgresql+psycopg2://a/b"
