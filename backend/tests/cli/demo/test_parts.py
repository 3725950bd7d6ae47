from pathlib import Path

import pytest

from app.cli.demo.api import Api, DemoFailed
from app.cli.demo.budget import FEWEST_TOKENS, FEWEST_WINDOWS, MOST_TOKENS, MOST_WINDOWS, Budget
from app.cli.demo.discover import difficulty, label_words
from app.cli.demo.display import already_there, running_step
from app.cli.demo.extract import choose_layer
from app.cli.demo.jobs import unfinished
from app.cli.demo.options import DemoOptions
from app.cli.demo.summary import highlight


def make_options(**changes: object) -> DemoOptions:
    values: dict[str, object] = {
        "model": None, "dataset": None, "tokens": None, "minutes": 7.0,
        "layer": None, "prompt": None, "open_page": False,
    }  # fmt: skip
    return DemoOptions(**{**values, **changes})  # type: ignore[arg-type]


def test_a_faster_machine_reads_more_within_bounds() -> None:
    budget = Budget(minutes=7.0)

    slow, fast = budget.extraction_tokens(1000.0), budget.extraction_tokens(4000.0)

    assert FEWEST_TOKENS <= slow < fast < MOST_TOKENS
    assert fast == pytest.approx(4 * slow, rel=0.02)


@pytest.mark.parametrize(("rate", "tokens"), [(1.0, FEWEST_TOKENS), (1e9, MOST_TOKENS)])
def test_the_budget_has_bounds(rate: float, tokens: int) -> None:
    assert Budget(minutes=7.0).extraction_tokens(rate) == tokens


@pytest.mark.parametrize(
    ("rate", "share", "windows"),
    # 45 s x 1,000 tokens/s x 0.4 x 0.75 / (3.2 readings x 128 tokens) = 32.96 windows
    [(1000.0, 0.4, 32), (1.0, 0.4, FEWEST_WINDOWS), (1e9, 0.4, MOST_WINDOWS)],
)
def test_the_model_reads_as_many_windows_as_its_time_allows(
    rate: float, share: float, windows: int
) -> None:
    assert Budget(minutes=7.0).evaluation_windows(rate, share) == windows


def test_no_time_left_still_trains_a_little() -> None:
    budget = Budget(minutes=1.0, began=-1e6)

    assert budget.left_seconds() < 0
    assert budget.training_seconds() > 0


@pytest.mark.parametrize(("n_layers", "layer"), [(30, 11), (6, 2), (1, 0)])
def test_the_layer_is_a_third_of_the_way_up(n_layers: int, layer: int) -> None:
    assert choose_layer({"n_layers": n_layers}, make_options()) == layer


def test_a_given_layer_wins() -> None:
    assert choose_layer({"n_layers": 30}, make_options(layer=3)) == 3


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ('token " from"', ["from"]),
        ('tokens "Heal", " healing"', ["heal", "healing"]),
        ("", []),
        (None, []),
    ],
)
def test_label_words(label: str | None, words: list[str]) -> None:
    assert label_words({"label": label}) == words


def test_whole_words_are_shown_before_pieces_and_signs() -> None:
    easy_first = [
        'token " empty"', 'token "class"', 'tokens " Heal", " healing"', 'tokens "Heal", "s"',
        'token ":"',
    ]  # fmt: skip
    rows = [{"label": label} for label in reversed(easy_first)]

    assert [row["label"] for row in sorted(rows, key=difficulty)] == easy_first


def test_the_firing_token_is_marked_and_the_line_fits() -> None:
    example = {"tokens": ["a\n  b", " very", " fine", " day"], "position": 2}

    line = highlight(example, width=40)

    assert line.plain.strip() == "a b very [fine] day"
    assert len(line.plain) <= 42


def test_a_model_path_is_found_and_a_hub_name_is_not_a_path(tmp_path: Path) -> None:
    assert make_options(model=str(tmp_path)).model_path() == tmp_path.resolve()
    assert make_options(model="EleutherAI/pythia-70m").model_path() is None
    assert make_options().dataset_path() is None


@pytest.mark.parametrize(
    ("state", "is_unfinished"), [("running", True), ("paused", True), ("failed", False)]
)
def test_unfinished_jobs_are_followed(state: str, is_unfinished: bool) -> None:
    assert (unfinished({"id": "j", "state": state}) == "j") is is_unfinished


def test_a_finished_step_shows_its_time_and_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with running_step("Tokens") as step:
        step.show(50.0, "half", 3.0)
        step.figures = "12 tokens"
    already_there("Corpus", "docs")

    done, reused = capsys.readouterr().out.splitlines()
    assert done.startswith("✓ Tokens")
    assert done.endswith("12 tokens")
    assert "reused" in reused


def test_an_order_to_a_dead_api_is_not_repeated() -> None:
    with pytest.raises(DemoFailed, match="lost"):
        Api("http://127.0.0.1:9").post("/models/import", {})
