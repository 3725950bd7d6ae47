"""The one place that reads the environment; everything else is handed a ``Settings``."""

import json
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core.errors import ServiceUnavailable

MIN_TOKEN_LENGTH = 16
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


def _env(name: str, *more: str) -> AliasChoices:
    return AliasChoices(name, *more)


class Settings(BaseSettings):
    """Settings of every process, read once from the environment.

    ``DATABASE_URL`` and ``REDIS_URL`` select servers that already run. Without them the
    addresses come from ``home/run/services.json``, which the supervisor writes when it starts
    the embedded servers.
    """

    model_config = SettingsConfigDict(
        env_prefix="MISTUDIO_", extra="ignore", populate_by_name=True, validate_default=True
    )

    home: Path = Path("~/.local/share/mistudio")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    log_level: str = "INFO"
    log_json: bool = True

    database_url: str | None = Field(
        default=None, validation_alias=_env("DATABASE_URL", "database_url")
    )
    redis_url: str | None = Field(default=None, validation_alias=_env("REDIS_URL", "redis_url"))
    database_pool_size: int = Field(default=8, ge=1, le=100)

    token: SecretStr | None = Field(default=None, min_length=MIN_TOKEN_LENGTH)
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    allowed_import_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    frontend_dist: Path | None = None
    max_upload_bytes: int = Field(default=10 * 1024**3, ge=1)
    # Where a proxy in front of us is published. On loopback, all its clients are on this machine,
    # though they arrive with the address of a container network.
    door: str | None = None
    rate_limit_loopback: bool = Field(
        default=False, validation_alias=_env("RATE_LIMIT_LOOPBACK", "rate_limit_loopback")
    )

    device: str = "auto"
    acceleration: Literal["off", "auto", "tensorrt", "compile"] = "off"
    cuda_visible_devices: str | None = Field(
        default=None, validation_alias=_env("CUDA_VISIBLE_DEVICES", "cuda_visible_devices")
    )
    extra_tasks: str | None = None

    lease_duration: timedelta = timedelta(seconds=30)
    heartbeat_interval: timedelta = timedelta(seconds=5)
    request_poll_interval: timedelta = timedelta(milliseconds=250)
    stop_grace: timedelta = timedelta(seconds=20)
    cancel_grace: timedelta = timedelta(seconds=3)
    disk_reserve_bytes: int = Field(default=512 * 1024**2, ge=0)
    read_only_below_bytes: int = Field(default=128 * 1024**2, ge=0)
    memory_reserve_bytes: int = Field(default=256 * 1024**2, ge=0)
    job_memory_bytes: int | None = Field(default=None, ge=1)
    gpu_busy_percent: float = Field(default=90.0, ge=0, le=100)
    sweep_interval: timedelta = timedelta(seconds=2)
    republish_after: timedelta = timedelta(seconds=10)
    label_endpoint: str | None = None
    export_retention: timedelta = timedelta(days=1)
    steering_timeout: timedelta = timedelta(minutes=5)
    steering_idle_unload: timedelta = timedelta(minutes=10)
    nursery_idle: timedelta = timedelta(minutes=5)

    @field_validator("home", mode="after")
    @classmethod
    def _expand_home(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("allowed_hosts", "allowed_import_roots", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("token", "label_endpoint", "job_memory_bytes", mode="before")
    @classmethod
    def _no_empty_token(cls, value: Any) -> Any:
        """An empty variable is how a Compose file says "not set"."""
        return value or None

    @property
    def is_open_to_network(self) -> bool:
        """Whether other machines can reach this server and it asks nobody for a token."""
        return self.host not in LOOPBACK_HOSTS and self.token is None

    @property
    def data_root(self) -> Path:
        return self.home / "data"

    @property
    def run_dir(self) -> Path:
        return self.home / "run"

    @property
    def logs_dir(self) -> Path:
        return self.home / "logs"

    @property
    def services_file(self) -> Path:
        return self.run_dir / "services.json"

    @property
    def trusted_hosts(self) -> frozenset[str]:
        """Host names (without port) that a request may be addressed to."""
        return frozenset((*LOOPBACK_HOSTS, *(host.lower() for host in self.allowed_hosts)))

    def require_database_url(self) -> str:
        """Address of PostgreSQL, from the environment or from the supervisor's file."""
        return self.database_url or self._service("database_url")

    def require_redis_url(self) -> str:
        """Address of the Redis-compatible server, from the environment or the supervisor."""
        return self.redis_url or self._service("redis_url")

    def _service(self, key: str) -> str:
        try:
            value = json.loads(self.services_file.read_text())[key]
        except (OSError, ValueError, KeyError) as error:
            raise ServiceUnavailable(
                f"{key.upper()} is not set and no running stack was found in {self.run_dir}. "
                "Start one with `make up`.",
                details={"missing": key},
            ) from error
        return str(value)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()


def access_headers() -> dict[str, str]:
    """What our own programs send to our own server, when it asks for a token."""
    token = get_settings().token
    return {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
