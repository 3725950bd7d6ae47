"""Progress at the terminal: one line per step, with time left; plain lines where none can move."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from app.cli.console import console, format_duration

_PLAIN_INTERVAL_SECONDS = 15.0


@dataclass
class Step:
    """The running line of one step."""

    title: str
    began: float = field(default_factory=time.monotonic)
    figures: str = ""
    _bar: Progress | None = None
    _task: TaskID | None = None
    _last_plain: str = ""
    _next_plain: float = field(default_factory=lambda: time.monotonic() + _PLAIN_INTERVAL_SECONDS)

    def show(self, percent: float, message: str, eta_seconds: float | None) -> None:
        """Update the line; ``percent`` of 0 with a message means that it waits or loads."""
        left = f"{format_duration(eta_seconds)} left" if eta_seconds is not None else ""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=percent, message=message, left=left)
        else:
            parts = [part for part in (f"{percent:.0f} %", message, left) if part]
            self._show_plain(f"    {' · '.join(parts)}")

    def _show_plain(self, line: str) -> None:
        if line == self._last_plain or time.monotonic() < self._next_plain:
            return
        self._last_plain = line
        self._next_plain = time.monotonic() + _PLAIN_INTERVAL_SECONDS
        console.print(line, markup=False, style="dim", soft_wrap=True)


@contextmanager
def running_step(title: str) -> Iterator[Step]:
    """Show the step while it runs; afterwards one line with its time and ``step.figures``."""
    step = Step(title)
    if console.is_terminal:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<26}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[left]}", style="bold", markup=False),
            TextColumn("{task.fields[message]}", style="dim", markup=False),
        )
        with Progress(*columns, console=console, transient=True) as bar:
            step._bar = bar
            step._task = bar.add_task(title, total=100.0, message="", left="")
            yield step
    else:
        yield step
    took = format_duration(time.monotonic() - step.began)
    console.print(f"[green]✓[/] {title:<26} [dim]{took:>10}[/]   {step.figures}", soft_wrap=True)


def already_there(title: str, figures: str) -> None:
    """A step whose result exists from an earlier run."""
    console.print(f"[green]✓[/] {title:<26} [dim]{'reused':>10}[/]   {figures}", soft_wrap=True)
