"""The table of features as CSV and JSON: parts of lines, joined to one file at the end."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.db.models import Feature
from app.services.feature_exchange.selection import Origin
from app.services.feature_service import PLAIN


def write_csv_part(
    _session: Session, _origin: Origin, page: list[Feature], folder: Path, number: int
) -> list[Path]:
    """Write lines of the table; lists are joined by semicolons."""
    path = _part(folder, number)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(_cells(feature) for feature in page)
    return [path]


def join_csv(folder: Path, _origin: Origin, target: Path) -> None:
    """Write the parts behind a line of column names."""
    names = io.StringIO()
    csv.writer(names).writerow((*PLAIN, "name"))
    _join(folder, target, names.getvalue(), "", "")


def write_json_part(
    _session: Session, _origin: Origin, page: list[Feature], folder: Path, number: int
) -> list[Path]:
    """Write an object a line."""
    path = _part(folder, number)
    path.write_text(",\n".join(json.dumps(_plain(feature), allow_nan=False) for feature in page))
    return [path]


def join_json(folder: Path, _origin: Origin, target: Path) -> None:
    """Write the parts as one list."""
    _join(folder, target, "[\n", ",\n", "\n]")


def _part(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05}"


def _join(folder: Path, target: Path, opening: str, between: str, closing: str) -> None:
    with target.open("wb") as file:
        file.write(opening.encode())
        for number, part in enumerate(sorted(folder.glob("part-*"))):
            file.write(between.encode() if number else b"")
            with part.open("rb") as source:
                shutil.copyfileobj(source, file)
        file.write(closing.encode())


def _plain(feature: Feature) -> dict[str, Any]:
    values = {name: getattr(feature, name) for name in PLAIN}
    return {**values, "training_id": str(feature.training_id), "name": feature.name}


def _cells(feature: Feature) -> list[Any]:
    cells = _plain(feature)
    return ["; ".join(value) if isinstance(value, list) else value for value in cells.values()]
