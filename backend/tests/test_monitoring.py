"""Dashboards and alerts ask for series that exist, and are what their maker writes."""

import importlib.util
import json
import re
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
