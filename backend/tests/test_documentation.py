"""Pages that come from the code are current; links of what is read first lead somewhere."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from documentation.markdown import cell_text
from documentation.site_check import find_faults
from documentation.write import PAGES, REFERENCE

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
FIRST_SEEN = ["README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md", "CHANGELOG.md"]
LONGEST_README = 90


@pytest.mark.parametrize("name", PAGES)
def test_page_is_what_the_code_says(name: str) -> None:
    assert (REFERENCE / name).read_text() == PAGES[name](), "run `make gen`"


def test_every_table_and_reference_is_drawn() -> None:
    text = (REFERENCE / "database.md").read_text()
    assert text.count("```mermaid") == text.count("\n## ")
    assert "datasets ||--o{ tokenizations : dataset_id" in text
    assert "features ||..o{ feature_activations : feature_id" in text


def test_cells_stay_cells() -> None:
    assert cell_text("a | b\n* c <d>") == r"a \| b \* c &lt;d>"


@pytest.mark.parametrize("name", FIRST_SEEN)
def test_links_of_a_file_that_is_seen_first_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text()
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'(?:src|href)="([^"#]+)"', text)
    missing = [it for it in targets if "://" not in it and not (ROOT / it).exists()]
    assert missing == []


def test_readme_fits_two_screens_and_shows_the_product() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= LONGEST_README
    assert "docs/images/" in text
    assert "make demo" in text


def test_index_of_decisions_lists_every_record() -> None:
    index = (DOCS / "decisions" / "README.md").read_text()
    records = [it.name for it in (DOCS / "decisions").glob("0*.md")]
    assert [it for it in records if f"]({it})" not in index] == []


def test_tests_that_hold_the_points_of_steering_are_there() -> None:
    """`short::test_x`, `path/test_y.py::test_x`, and `…::test_x` for one more of the same file."""
    tests = ROOT / "backend" / "tests"
    named = re.findall(r"`([\w/.…]+)::(test_\w+)`", (DOCS / "steering.md").read_text())
    assert len(named) > 50
    path = tests
    for place, name in named:
        if place != "…":
            short = tests / "ml" / "steering" / f"test_steering_{place}.py"
            path = tests / place if place.endswith(".py") else short
        assert f"def {name}(" in path.read_text(), f"{place}::{name}"


def test_pictures_are_small() -> None:
    pictures = sorted((DOCS / "images").glob("*.png"))
    assert [it.name for it in pictures if it.stat().st_size > 150_000] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda it: it.name)
def test_workflows_are_whole_and_call_targets_and_scripts_that_exist(path: Path) -> None:
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text())
    assert workflow[True]  # "on", as YAML 1.1 reads it
    # One that is only called has the rights of its caller.
    assert workflow.get("permissions") or set(workflow[True]) == {"workflow_call"}
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for job in workflow["jobs"].values():
        assert ("uses" in job) != ("steps" in job)
        if "uses" in job:
            assert (ROOT / job["uses"]).is_file()
            continue
        commands = "\n".join(step.get("run", "") for step in job["steps"])
        assert set(re.findall(r"\bmake (\w+)", commands)) <= targets
        for script in re.findall(r"(?:scripts|\.ci)/\w+(?:\.sh)?", commands):
            assert (ROOT / script).is_file(), script


def test_pipeline_runs_what_a_developer_runs() -> None:
    commands = "\n".join(path.read_text() for path in WORKFLOWS)
    for target in ("make check", "make test", "make e2e", "make docs"):
        assert f"run: {target}" in commands, target


@pytest.mark.parametrize("path", FORMS, ids=lambda it: it.name)
def test_forms_of_issues_are_whole(path: Path) -> None:
    form: dict[str, Any] = yaml.safe_load(path.read_text())
    if path.name == "config.yml":
        assert set(form) <= {"blank_issues_enabled", "contact_links"}
        return
    assert form["name"]
    assert form["description"]
    named = [it["id"] for it in form["body"] if it["type"] != "markdown"]
    assert len(named) == len(set(named))
    assert all(it["attributes"] for it in form["body"])


def test_licence_is_the_same_everywhere() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    project = tomllib.loads((ROOT / "backend" / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert '"license": "Apache-2.0"' in (ROOT / "frontend" / "package.json").read_text()


def test_release_notes_refuse_a_version_that_is_not_everywhere() -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "release_notes.sh", "99.0.0"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "pyproject.toml" in done.stderr


def test_site_check_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="b.html#there">1</a><a href="b.html#gone">2</a><a href="c.html">3</a>'
        '<script src="https://elsewhere.example/x.js"></script><a href="https://fine.example">4</a>'
    )
    (tmp_path / "b.html").write_text('<h1 id="there">B</h1>')
    assert find_faults(tmp_path) == [
        "only 2 pages were built",
        "a.html loads https://elsewhere.example/x.js from elsewhere",
        "a.html links to b.html#gone, a heading that is not there",
        "a.html links to c.html, which is not there",
    ]
