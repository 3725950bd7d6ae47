"""Writes the pages that come from the code: ``python -m documentation.write``."""

from collections.abc import Callable
from pathlib import Path

from documentation.database_page import database_page
from documentation.events_page import events_page
from documentation.figures_page import figures_page
from documentation.settings_page import settings_page

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "database.md": database_page,
    "errors-and-events.md": events_page,
    "figures.md": figures_page,
    "settings.md": settings_page,
}


def write_pages(folder: Path = REFERENCE) -> None:
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    write_pages()
