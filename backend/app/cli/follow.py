"""Showing what the logs receive."""

import time
from collections.abc import Callable
from pathlib import Path

from app.cli.console import console

_POLL_SECONDS = 0.3


def follow_logs(logs: list[Path], is_alive: Callable[[], bool]) -> None:
    """Print new lines of the logs until ``is_alive`` says no (asked once a second or so)."""
    positions = {log: log.stat().st_size if log.exists() else 0 for log in logs}
    while is_alive():
        for log, position in positions.items():
            positions[log] = _print_from(log, position)
        time.sleep(_POLL_SECONDS)


def _print_from(log: Path, position: int) -> int:
    if not log.exists():
        return position
    size = log.stat().st_size
    with log.open("rb") as file:
        file.seek(position if size >= position else 0)  # smaller: it was rotated
        for line in file.read().decode("utf-8", "replace").splitlines():
            console.print(f"{log.stem:<5} {line}", markup=False, soft_wrap=True)
        return file.tell()
