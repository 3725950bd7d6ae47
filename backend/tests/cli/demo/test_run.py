"""The whole demo against real workers, on a model and a corpus small enough for a minute."""

import re
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.cli.demo import budget, command, jobs, train
from app.cli.demo.api import Api
from app.cli.demo.options import DemoOptions
from tests.fixtures.stack import GLASS_EN, Stack

pytestmark = pytest.mark.slow
MINUTES = 1.0  # less than anything takes: the smallest amounts are used
FEWEST_TOKENS, FEWEST_STEPS, WINDOWS = 20_000, 100, 4


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real text of this project's own surroundings: the standard library's sources."""
    folder = tmp_path_factory.mktemp("demo") / "sources"
    folder.mkdir()
    library = Path(re.__file__).parents[1]
    for path in sorted(library.glob("*.py"))[:40]:
        (folder / f"{path.stem}.txt").write_text(path.read_text(encoding="utf-8"))
    return folder


@pytest.fixture(autouse=True)
def small_amounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than half of what a person gets at least: enough for features with labels."""
    monkeypatch.setattr(budget, "FEWEST_TOKENS", FEWEST_TOKENS)
    monkeypatch.setattr(budget, "FEWEST_WINDOWS", WINDOWS)
    monkeypatch.setattr(budget, "MOST_WINDOWS", WINDOWS)
    monkeypatch.setattr(train, "FEWEST_STEPS", FEWEST_STEPS)


class HoldsTrainingsDown(Api):
    """So that Ctrl-C finds one running, however fast the machine is."""

    def __init__(self, stack: Stack, until: ExitStack) -> None:
        super().__init__(address_of(stack))
        self._stack, self._until = stack, until

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        if path == "/trainings":
            self._until.enter_context(self._stack.held_down())
        return super().post(path, body)


def address_of(stack: Stack) -> str:
    return str(stack.client.base_url).removesuffix("/api/v1/")


def run_demo(stack: Stack, corpus: Path, api: Api | None = None) -> None:
    options = DemoOptions(
        model=str(GLASS_EN),
        dataset=str(corpus),
        tokens=None,
        minutes=MINUTES,
        layer=None,
        prompt="import os",
        open_page=False,
    )
    api = api or Api(address_of(stack))
    command.run(api, options, stack.settings, budget.Budget(MINUTES), page_url="http://page.test")


def mine(stack: Stack) -> list[dict[str, Any]]:
    """The demo's trainings of this model; other tests of the stack have trainings too."""
    return [t for t in stack.get("/trainings") if t["name"] == "Demo: glass-en, layer 1"]


def test_ctrl_c_then_again_goes_on_and_a_third_time_reuses(
    stack: Stack,
    corpus: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wait = time.sleep

    def interrupt(seconds: float) -> None:
        if any((training["job"] or {}).get("state") == "running" for training in mine(stack)):
            raise KeyboardInterrupt
        wait(seconds)

    with monkeypatch.context() as patch, ExitStack() as until:
        patch.setattr(jobs.time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_demo(stack, corpus, HoldsTrainingsDown(stack, until))
    [interrupted] = mine(stack)

    run_demo(stack, corpus)
    [finished] = mine(stack)
    summary = capsys.readouterr().out
    assert finished["id"] == interrupted["id"]
    assert finished["status"] == "completed"
    figures = {item["key"]: item["value"] for item in finished["evaluation"]["figures"]}
    assert f"{figures['explained_variance']:.3f}" in summary
    assert "http://page.test" in summary
    # The probe that measured the machine is gone; one store is left.
    stores = [s for s in stack.get("/activations") if s["model_id"] == finished["model_id"]]
    assert len(stores) == 1

    steered = stack.get("/steering/runs")
    run_demo(stack, corpus)
    again = capsys.readouterr().out
    assert again.count("reused") == 6
    assert "Steering" in again
    assert stack.get("/steering/runs") == steered, "what was generated is read again"
    assert [training["id"] for training in mine(stack)] == [finished["id"]]
