"""How the program speaks: one console, and short sentences for failures."""

from typing import NoReturn

import typer
from rich.console import Console

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def fail(message: str, *, hint: str | None = None) -> NoReturn:
    """Say what went wrong and end with status 1.

    Raises:
        typer.Exit: always.
    """
    errors.print("[bold red]✗[/]", end=" ")
    errors.print(message, markup=False)
    if hint:
        errors.print(f"  → {hint}", markup=False)
    raise typer.Exit(1)


def format_duration(seconds: float) -> str:
    """``48 s``, ``3 min 20 s``, ``2 h 05 min``, ``3 d 4 h``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def format_bytes(size: float) -> str:
    """``512 B``, ``1.4 MB``, ``2.3 GB`` (powers of 1000, as disks are sold)."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
