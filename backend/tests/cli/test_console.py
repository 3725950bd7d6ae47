"""How figures and failures read."""

import pytest
import typer

from app.cli.console import fail, format_bytes, format_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (48.4, "48 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 05 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(512, "512 B"), (1_400_000, "1.4 MB"), (2.3e9, "2.3 GB"), (4.2e12, "4.2 TB")],
)
def test_sizes(size: float, text: str) -> None:
    assert format_bytes(size) == text


def test_a_failure_is_a_sentence_a_hint_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        fail("The port [8000] is taken.", hint="Choose another.")

    assert ended.value.exit_code == 1
    assert capsys.readouterr().err.split("\n")[:2] == [
        "✗ The port [8000] is taken.",
        "  → Choose another.",
    ]
