"""Following logs, also when one is emptied meanwhile or comes later."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli.follow import follow_logs


def test_new_lines_are_shown_with_the_name_of_their_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api, page = tmp_path / "api.log", tmp_path / "page.log"
    api.write_text("an earlier run\n")
    steps: list[Callable[[], object]] = [
        lambda: append(api, "first [bracketed]\n"),
        lambda: page.write_text("comes later\n"),
        lambda: api.write_text("rotated\n"),
    ]

    def one_more_step() -> bool:
        if steps:
            steps.pop(0)()
            return True
        return False

    follow_logs([api, page], one_more_step)

    assert capsys.readouterr().out.splitlines() == [
        "api   first [bracketed]",
        "page  comes later",
        "api   rotated",
    ]


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)
