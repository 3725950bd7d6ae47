"""Dashboards and alerts ask for series that exist, and are what their maker writes."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

FOLDER = Path(__file__).resolve().parents[2] / "monitoring"
FUNCTIONS = {
    "increase",
    "by",
    "le",
    "rate",
    "sum",
    "topk",
    "histogram_quantile",
    "on",
    "unless",
    "up",
}


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_dashboards", FOLDER / "make_dashboards.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names_in(expression: str) -> set[str]:
    """Names of series in an expression: labels in braces and parentheses of "by" are none."""
    bare = re.sub(r"\{[^}]*\}|\b(by|on) \([^)]*\)|\[[^\]]*\]", "", expression)
    return set(re.findall(r"[a-z_][a-z0-9_]{2,}", bare)) - FUNCTIONS


def expressions(maker: ModuleType) -> list[str]:
    boards: dict[str, Any] = maker.BOARDS
    shown = [query for panels in boards.values() for *_, queries in panels for query, _ in queries]
    rules = yaml.safe_load((FOLDER / "prometheus" / "rules.yml").read_text())
    return shown + [rule["expr"] for group in rules["groups"] for rule in group["rules"]]


def test_every_series_is_one_that_the_api_reports(client: TestClient, maker: ModuleType) -> None:
    text = client.get("/metrics").text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    known = set(kinds) | {f"{name}_bucket" for name, kind in kinds.items() if kind == "histogram"}
    assert len(kinds) > 40
    wanted = {name for expression in expressions(maker) for name in names_in(expression)}
    assert len(wanted) > 30
    assert wanted - known == set()


def test_dashboards_are_what_their_maker_writes(maker: ModuleType) -> None:
    documents: dict[str, str] = maker.documents()
    folder = FOLDER / "grafana" / "dashboards"
    assert {path.name: path.read_text() for path in folder.iterdir()} == documents
    for content in documents.values():
        panels = json.loads(content)["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)


def lost(given: Any, known: Any, at: str = "") -> Iterator[str]:
    """Paths of what a document has and Grafana's types do not."""
    if isinstance(given, dict) and isinstance(known, dict):
        for key, value in given.items():
            if key in known:
                yield from lost(value, known[key], f"{at}.{key}")
            else:
                yield f"{at}.{key}"
    elif isinstance(given, list) and isinstance(known, list) and len(given) == len(known):
        for index, (one, other) in enumerate(zip(given, known, strict=True)):
            yield from lost(one, other, f"{at}[{index}]")
    elif given != known:
        yield f"{at}: {given!r}"


def as_grafana_reads_it(document: dict[str, Any]) -> dict[str, Any]:
    """Through the types that Grafana publishes for dashboards, panels and Prometheus' queries."""
    from grafana_foundation_sdk.cog import plugins
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    plugins.register_default_plugins()
    read: dict[str, Any] = json.loads(JSONEncoder().encode(Dashboard.from_json(document)))
    return read


@pytest.mark.parametrize("title", ["Overview", "Training and GPU", "Database and queues"])
def test_grafana_knows_every_field_and_unit_of_a_dashboard(maker: ModuleType, title: str) -> None:
    from grafana_foundation_sdk.models import units

    document = maker.board(title, maker.BOARDS[title])
    assert list(lost(document, as_grafana_reads_it(document))) == []
    used = {panel["fieldConfig"]["defaults"]["unit"] for panel in document["panels"]}
    assert used <= {it for it in vars(units).values() if isinstance(it, str)}


def test_a_misspelled_field_is_found(maker: ModuleType) -> None:
    document = maker.board("Overview", maker.BOARDS["Overview"])
    document["panels"][0]["fieldConfig"]["defaults"]["custom"]["fillOpacty"] = 8
    document["panels"][1]["targets"][0]["exr"] = "up"
    assert set(lost(document, as_grafana_reads_it(document))) == {
        ".panels[0].fieldConfig.defaults.custom.fillOpacty",
        ".panels[1].targets[0].exr",
    }


def test_dashboards_ask_the_source_that_is_provisioned() -> None:
    provisioning = FOLDER / "grafana" / "provisioning"
    [source] = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    for path in (FOLDER / "grafana" / "dashboards").iterdir():
        for panel in json.loads(path.read_text())["panels"]:
            asked = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
            assert {(it["type"], it["uid"]) for it in asked} == {(source["type"], source["uid"])}
