"""The container files agree with the program: settings, process commands, headers, variables."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.api.middleware import PAGE_POLICY, SECURITY_HEADERS
from app.core.config import Settings
from app.supervisor.stack import WORKER_SLOTS, worker_units

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILES = (
    "docker-compose.yml",
    "docker-compose.gpu.yml",
    "docker-compose.jetson.yml",
    "docker-compose.https.yml",
)
COMPOSE_ITSELF = {"COMPOSE_PROJECT_NAME"}
WORKERS = {f"worker-{queue}" for queue in WORKER_SLOTS}
SERVICES = {"nginx", "frontend", "postgres", "redis", "migrate", "backend", "sweeper", "flower"}
MONITORING = {"prometheus", "grafana"}


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return document


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load("docker-compose.yml")["services"]
    return found


def variables_of_example() -> set[str]:
    text = (ROOT / ".env.example").read_text()
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE))


def variables_of_compose() -> set[str]:
    found = set(load("docker-compose.yml")["x-backend"]["build"]["args"])
    for name in COMPOSE_FILES:
        # "$$" is a dollar sign for the container's shell.
        found |= set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", (ROOT / name).read_text()))
    return found


def setting_names() -> set[str]:
    names = {f"MISTUDIO_{name.upper()}" for name in Settings.model_fields}
    return names | {"DATABASE_URL", "REDIS_URL", "RATE_LIMIT_LOOPBACK"}


def test_services_are_all_there(services: dict[str, Any]) -> None:
    assert set(services) == SERVICES | WORKERS | MONITORING


@pytest.mark.parametrize("name", COMPOSE_FILES[1:3])
def test_overrides_name_known_services_and_build_one_image_alike(
    name: str, services: dict[str, Any]
) -> None:
    override = load(name)["services"]
    assert set(override) <= set(services)
    image = {service for service, it in services.items() if it.get("image") == "mistudio-backend"}
    assert {service for service, it in override.items() if "build" in it} == image
    assert len({str((override[it]["image"], override[it]["build"])) for it in image}) == 1


def test_example_explains_each_variable_and_none_that_is_not_read() -> None:
    assert variables_of_example() - COMPOSE_ITSELF == variables_of_compose()


def test_backend_environment_holds_real_settings(services: dict[str, Any]) -> None:
    environment = services["backend"]["environment"]
    known = setting_names() | {"FORWARDED_ALLOW_IPS"}
    assert set(environment) <= known
    assert Settings(database_url=environment["DATABASE_URL"]).require_database_url()


def test_the_access_token_reaches_the_api_and_no_other_process(services: dict[str, Any]) -> None:
    assert services["backend"]["environment"]["MISTUDIO_TOKEN"] == "${MISTUDIO_TOKEN:-}"
    assert Settings(token="").token is None, "what Compose passes on when it is not set"
    holders = {name for name, it in services.items() if "MISTUDIO_TOKEN" in str(it)}
    assert holders == {"backend"}


def test_the_client_behind_the_proxy_is_the_one_that_is_counted(services: dict[str, Any]) -> None:
    """Limits go by address: the proxy names the client itself and takes no name from outside."""
    assert services["backend"]["environment"]["FORWARDED_ALLOW_IPS"] == "*"
    assert "ports" not in services["backend"]
    text = (ROOT / "nginx" / "nginx.conf").read_text() + (ROOT / "nginx/server.conf").read_text()
    assert set(re.findall(r"X-Forwarded-For (\S+);", text)) == {"$remote_addr"}


def test_the_api_knows_where_its_door_is_published(services: dict[str, Any]) -> None:
    """On loopback everybody who comes through it is on this machine, and nobody is limited."""
    bind = "${MISTUDIO_BIND:-127.0.0.1}"
    assert services["backend"]["environment"]["MISTUDIO_DOOR"] == bind
    assert services["nginx"]["ports"][0].startswith(f"{bind}:")


def test_only_the_proxy_is_published_to_more_than_this_machine(services: dict[str, Any]) -> None:
    published = {name: it["ports"] for name, it in services.items() if "ports" in it}
    assert published.pop("nginx") == ["${MISTUDIO_BIND:-127.0.0.1}:${MISTUDIO_HTTP_PORT:-80}:8080"]
    assert set(published) == {"flower"} | MONITORING
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_databases_are_reached_only_by_their_clients(services: dict[str, Any]) -> None:
    compose = load("docker-compose.yml")
    assert compose["networks"]["store"] == {"internal": True}
    assert services["postgres"]["networks"] == services["redis"]["networks"] == ["store"]
    assert "store" not in services["nginx"].get("networks", [])


def test_every_service_drops_its_rights(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is True, name


def test_a_jetsons_limits_are_six_gigabytes_together(services: dict[str, Any]) -> None:
    jetson = load("docker-compose.jetson.yml")["services"]
    # What ends before the rest starts, and what does not start, takes nothing.
    idle = {name for name, it in jetson.items() if it.get("profiles") == ["never"]} | {"migrate"}
    running = {name for name, it in services.items() if "profiles" not in it} - idle
    limits = {name: in_bytes(jetson[name]["mem_limit"]) for name in running}
    assert sum(limits.values()) == 6 * 1024**3
    assert (
        jetson["backend"]["environment"]["MISTUDIO_JOB_MEMORY_BYTES"] == (limits["worker-training"])
    ), "the API refuses what the worker has no room for"


def in_bytes(limit: str | int) -> int:
    return limit if isinstance(limit, int) else int(limit.removesuffix("m")) * 1024**2


@pytest.mark.parametrize("queue", WORKER_SLOTS)
def test_workers_run_the_supervisors_command(
    queue: str, services: dict[str, Any], tmp_path: Path
) -> None:
    units = {unit.name: unit for unit in worker_units(Settings(home=tmp_path))}
    command = units[f"worker-{queue}"].target.command  # type: ignore[attr-defined]
    assert services[f"worker-{queue}"]["command"] == command[2:]  # after "python -m"


def test_page_is_served_with_the_headers_of_the_api() -> None:
    text = (ROOT / "nginx" / "page.conf").read_text()
    sent = dict(re.findall(r'add_header (\S+) "([^"]*)" always;', text))
    assert sent == SECURITY_HEADERS | {"Content-Security-Policy": PAGE_POLICY}


def test_pipeline_and_hooks_run_the_commands_of_a_developer() -> None:
    steps = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert "run: make check" in steps
    assert "run: .ci/run" in steps
    assert "exec make test" in (ROOT / ".ci" / "run").read_text()
    checks = re.findall(r"^check '([^']+)'", (ROOT / "scripts/check.sh").read_text(), re.MULTILINE)
    hooks = load(".pre-commit-config.yaml")["repos"][0]["hooks"]
    assert [hook["name"] for hook in hooks] == checks
