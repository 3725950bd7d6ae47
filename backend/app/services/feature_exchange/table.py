"""The table of features as CSV and JSON."""

import csv
import json
from collections.abc import Iterable
from typing import IO, Any

from sqlalchemy.orm import Session

from app.db.models import Feature
from app.services.feature_exchange.selection import Selection, pages_of
from app.services.feature_service import PLAIN


def write_csv(session: Session, selection: Selection, file: IO[str]) -> None:
    """Write the table with a line of column names; lists are joined by semicolons."""
    writer = csv.writer(file)
    writer.writerow((*PLAIN, "name"))
    for page in pages_of(session, selection.wanted):
        writer.writerows(_cells(feature) for feature in page)


def write_json(session: Session, selection: Selection, file: IO[str]) -> None:
    """Write the table as one list."""
    pages = pages_of(session, selection.wanted)
    write_list(file, (_plain(feature) for page in pages for feature in page), "[", "]")


def write_list(file: IO[str], items: Iterable[dict[str, Any]], opening: str, closing: str) -> None:
    """Write items as they come, a line each."""
    file.write(opening)
    for number, item in enumerate(items):
        file.write((",\n" if number else "\n") + json.dumps(item, allow_nan=False))
    file.write("\n" + closing)


def _plain(feature: Feature) -> dict[str, Any]:
    values = {name: getattr(feature, name) for name in PLAIN}
    return {**values, "training_id": str(feature.training_id), "name": feature.name}


def _cells(feature: Feature) -> list[Any]:
    cells = _plain(feature)
    return ["; ".join(value) if isinstance(value, list) else value for value in cells.values()]
