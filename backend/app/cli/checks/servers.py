"""PostgreSQL, Valkey, migrations and the port."""

from collections.abc import Callable
from pathlib import Path

import psycopg2
import redis

from app.cli.checks.outcome import Outcome, bad, ok, warn
from app.core.config import Settings
from app.supervisor import binaries, ports
from app.supervisor.control import running_stack
from app.supervisor.migrations import revisions
from app.supervisor.schema_version import edited_revisions, plain_url


def check_postgres(settings: Settings) -> Outcome:
    if settings.database_url is None and running_stack(settings) is None:
        return _binary("PostgreSQL", binaries.find_postgres_bin)
    try:
        connection = psycopg2.connect(plain_url(settings.require_database_url()), connect_timeout=5)
    except psycopg2.OperationalError as error:
        return bad("PostgreSQL", str(error).strip(), "Is the server up, is DATABASE_URL right?")
    version = connection.server_version
    connection.close()
    finding = f"{version // 10_000}.{version % 10_000} answers"
    if version < 140_000:
        return bad("PostgreSQL", finding, "Version 14 or newer is needed.")
    return ok("PostgreSQL", finding)


def check_valkey(settings: Settings) -> Outcome:
    if settings.redis_url is None and running_stack(settings) is None:
        return _binary("Valkey", binaries.find_valkey_server)
    client = redis.Redis.from_url(settings.require_redis_url(), socket_connect_timeout=5)
    try:
        info = client.info("server")
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy")
    except redis.RedisError as error:
        return bad("Valkey", str(error), "Is the server up, is REDIS_URL right?")
    finally:
        client.close()
    version = info.get("valkey_version") or info.get("redis_version")
    if policy != "noeviction":
        return warn("Valkey", f"{version}, {policy}", "Set maxmemory-policy to noeviction.")
    return ok("Valkey", f"{version} answers")


def check_migrations(settings: Settings) -> Outcome:
    if settings.database_url is None and running_stack(settings) is None:
        return ok("migrations", "run by themselves at the next start")
    try:
        record, head = revisions(settings.require_database_url())
    except psycopg2.OperationalError as error:
        return bad("migrations", str(error).strip(), "See PostgreSQL above.")
    if record.revision != head:
        return bad("migrations", f"at {record.revision}, newest is {head}", "Run `make migrate`.")
    if edited := edited_revisions(record):
        finding = f"{', '.join(edited)} was edited after it was applied"
        return warn("migrations", finding, "The next start finds out whether a table lacks it.")
    return ok("migrations", f"at the newest, {head}")


def check_port(settings: Settings) -> Outcome:
    stack = running_stack(settings)
    if stack is not None:
        return ok("port", f"the page is at {stack.page_url}")
    if ports.is_free(settings.port, settings.host):
        return ok("port", f"{settings.port} is free")
    if "port" in settings.model_fields_set:
        return bad("port", f"{settings.port} is taken", "Choose another with MISTUDIO_PORT=…")
    following = ports.next_free_port(settings.port, settings.host)
    return ok("port", f"{settings.port} is taken by another program; {following} will be used")


def _binary(subject: str, find: Callable[[], Path]) -> Outcome:
    try:
        path = find()
    except binaries.BinaryMissing as error:
        return bad(subject, "not found", str(error))
    return ok(subject, f"installed, not running ({path})")
