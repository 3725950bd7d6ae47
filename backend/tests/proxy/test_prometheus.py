"""A real Prometheus reads the product: every dashboard has curves, every rule is evaluated."""

import importlib.util
import math
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.supervisor.ports import pick_port
from tests.fixtures.proxy import wait_for
from tests.fixtures.stack import ENDLESS_STEPS, Prepared, Stack

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
FOLDER = Path(__file__).resolve().parents[3] / "monitoring"
DEADLINE_SECONDS = 120.0
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROMETHEUS is None, reason="Prometheus is not installed here"),
]


@pytest.fixture
def prometheus(stack: Stack, tmp_path: Path) -> Iterator[httpx.Client]:
    """The containers' configuration, asking this stack, every second instead of every 15."""
    assert PROMETHEUS is not None
    target = f"{stack.client.base_url.host}:{stack.client.base_url.port}"
    config = (FOLDER / "prometheus" / "prometheus.yml").read_text()
    config = config.replace("backend:8000", target).replace(": 15s", ": 1s")
    (tmp_path / "prometheus.yml").write_text(config)
    shutil.copy(FOLDER / "prometheus" / "rules.yml", tmp_path)
    if PROMTOOL is not None:
        subprocess.run([PROMTOOL, "check", "config", str(tmp_path / "prometheus.yml")], check=True)
    port = pick_port()
    command = [PROMETHEUS, f"--config.file={tmp_path}/prometheus.yml"]
    command += [f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{port}"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, stderr=log)
    try:
        wait_for(port)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as client:
            yield client
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture
def training(stack: Stack, prepared: Prepared, reference: str) -> Iterator[str]:
    """One that runs for longer than the test, beside one that has ended (``reference``)."""
    made = stack.post("/trainings", prepared.training(training_steps=ENDLESS_STEPS))
    path = f"/trainings/{made['training_id']}"
    stack.wait_until(path, lambda t: t["current_step"] > 0)
    yield made["training_id"]
    stack.post(f"{path}/stop")
    stack.finish(made["job_id"])


def queries() -> dict[str, str]:
    """Each query of each dashboard with its panel; those of a GPU or of zram need one."""
    spec = importlib.util.spec_from_file_location("make_dashboards", FOLDER / "make_dashboards.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    return {
        expression: f"{board}: {title}"
        for board, panels in maker.BOARDS.items()
        for title, _unit, shown in panels
        for expression, _legend in shown
        if not expression.startswith(("gpu_", "zram_"))
    }


def has_curve(prometheus: httpx.Client, expression: str) -> bool:
    answer = prometheus.get("/query", params={"query": expression})
    assert answer.is_success, f"{expression}: {answer.text}"
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return any(not math.isnan(float(series["value"][1])) for series in found)


def test_every_query_has_a_curve_and_every_rule_is_evaluated(
    prometheus: httpx.Client, training: str
) -> None:
    missing = queries()
    assert len(missing) > 25
    deadline = time.monotonic() + DEADLINE_SECONDS
    while missing and time.monotonic() < deadline:
        missing = {it: at for it, at in missing.items() if not has_curve(prometheus, it)}
        time.sleep(0.5)
    assert missing == {}
    groups = prometheus.get("/rules").json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) >= 10
    assert {rule["name"]: rule["lastError"] for rule in rules if rule["health"] != "ok"} == {}
    firing = {it["name"] for it in rules if it["state"] != "inactive"}
    assert firing <= {"MemoryNearlyFull", "DiskNearlyFull"}, "what this machine itself may lack"
