"""The container files agree with the program: settings, process commands, headers, variables."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.api.middleware import PAGE_POLICY, SECURITY_HEADERS
from app.core.config import Settings
from app.supervisor.stack import HTTP_PROTOCOL, WORKER_SLOTS, worker_units

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


def test_the_api_reads_connections_as_the_supervisors_does() -> None:
    assert f'"--http", "{HTTP_PROTOCOL}"' in (ROOT / "backend/Dockerfile").read_text()


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


def test_actions_are_pinned_to_commits() -> None:
    """A tag can be moved to other code by whoever owns the action."""
    used = []
    for path in (ROOT / ".github" / "workflows").iterdir():
        used += re.findall(r"uses: (.+)", path.read_text())
    others = [line for line in used if not line.startswith("./")]
    assert len(others) > 15
    assert [it for it in others if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", it)] == []


def images_of_others() -> dict[str, str]:
    """Where an image is named -> its name, without those that are built here."""
    found = {}
    for name in COMPOSE_FILES:
        for service, it in load(name)["services"].items():
            if "mistudio-" not in it.get("image", "mistudio-"):
                found[f"{name}: {service}"] = re.sub(r"\$\{\w+:-(.+)\}", r"\1", it["image"])
    for path in ("backend/Dockerfile", "frontend/Dockerfile"):
        text = (ROOT / path).read_text()
        named = re.findall(r"^ARG \w+_IMAGE=(\S+)|^FROM (\w+:\S+)", text, re.MULTILINE)
        found |= {f"{path} {at}": "".join(pair) for at, pair in enumerate(named)}
    return found


def test_images_of_others_name_a_version() -> None:
    images = images_of_others()
    assert len(images) == 8
    assert [it for it in images.items() if not re.match(r"[\w./-]+:v?\d+[\w.-]*$", it[1])] == []


def test_one_nginx_serves_the_page_and_stands_in_front() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    given = set(re.findall(r"\$\{NGINX_IMAGE:-([^}]+)\}", compose))
    built = re.findall(r"ARG NGINX_IMAGE=(\S+)", (ROOT / "frontend/Dockerfile").read_text())
    assert given == set(built)


def slim(venv: Path, *options: str) -> set[str]:
    script = ROOT / "scripts" / "slim_venv.sh"
    subprocess.run([script, venv, *options], check=True, capture_output=True)
    return {str(it.relative_to(venv)) for it in venv.rglob("*") if it.is_file()}


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """Files that the slimming must tell apart; the real packages are tried inside the image."""
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in (
        "pandas/core.py",
        "pandas/core.pyi",
        "pandas/tests/test_all.py",
        "pandas/testing.py",
        "numpy/testing/utils.py",
        "torch/include/ATen/ATen.h",
        "torch/testing/_internal/common.py",
        "torch/bin/protoc",
        "torch/bin/torch_shm_manager",
        "torch-2.13.0+cpu.dist-info/licenses/test/LICENSE",
        "pyarrow/libarrow.so.2600",
        "pyarrow/libarrow_flight.so.2600",
        "bitsandbytes/libbitsandbytes_cpu.so",
        "bitsandbytes/libbitsandbytes_cuda128.so",
        "uv/__init__.py",
        "uvicorn/main.py",
        "pip/__init__.py",
        "../../../bin/uv",
        "../../../bin/uvicorn",
    ):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).touch()
    return tmp_path


def test_slimming_takes_what_is_never_read(venv: Path) -> None:
    packages = "lib/python3.11/site-packages/"
    kept = {it.removeprefix(packages) for it in slim(venv)}
    assert kept == {
        "pandas/core.py",
        "pandas/testing.py",
        "numpy/testing/utils.py",
        "torch/testing/_internal/common.py",
        "torch/bin/torch_shm_manager",
        "torch-2.13.0+cpu.dist-info/licenses/test/LICENSE",
        "pyarrow/libarrow.so.2600",
        "bitsandbytes/libbitsandbytes_cpu.so",
        "uvicorn/main.py",
        "pip/__init__.py",
        "bin/uvicorn",
    }


def test_slimming_for_a_gpu_keeps_its_kernels_and_what_compilers_read(venv: Path) -> None:
    packages = venv / "lib/python3.11/site-packages"
    (packages / "torch-2.13.0+cpu.dist-info").rename(packages / "torch-2.13.0.dist-info")
    kept = slim(venv, "--keep-headers")
    assert {Path(it).name for it in kept} >= {"ATen.h", "libbitsandbytes_cuda128.so"}


@pytest.mark.parametrize("arguments", [[], ["/no/venv"], ["--keep-headers"]])
def test_slimming_refuses_what_is_no_environment(arguments: list[str]) -> None:
    script = ROOT / "scripts" / "slim_venv.sh"
    done = subprocess.run([script, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Usage" in done.stderr
