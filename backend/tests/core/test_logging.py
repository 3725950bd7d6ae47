"""Logs: one JSON object per line, without secrets."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.logging import configure_logging, redact

TOKEN = "hf_" + "abcd" * 8


@pytest.fixture
def _own_handlers() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.usefixtures("_own_handlers")
@pytest.mark.parametrize("as_json", [True, False])
def test_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    configure_logging(Settings(home=tmp_path, log_json=as_json), process="p1")
    try:
        raise ValueError(f"with {TOKEN}")
    except ValueError:
        logging.getLogger("app.x").exception("went wrong", extra={"job_id": "7", "t": TOKEN})
    written = capsys.readouterr().err
    assert TOKEN not in written
    assert "went wrong" in written
    assert "p1" in written
    if as_json:
        line = json.loads(written)
        assert (line["level"], line["logger"], line["job_id"]) == ("ERROR", "app.x", "7")
        assert "ValueError" in line["exc_info"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"token={TOKEN}", "token=***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("postgresql://u:secret@h/d", "postgresql://***@h/d"),
        ("redis://:secret@h:1/0", "redis://***@h:1/0"),
        ("http://h:80/path", "http://h:80/path"),
    ],
)
def test_secrets_are_blanked(text: str, shown: str) -> None:
    assert redact(text) == shown
