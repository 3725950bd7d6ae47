"""``up``, ``down``, ``status`` and ``dev``."""

import json
import time
from pathlib import Path

import typer
from rich.table import Table

from app.cli.console import console, errors, fail, format_bytes, format_duration
from app.cli.follow import follow_logs
from app.cli.running_jobs import read_running_jobs
from app.core.config import Settings, get_settings
from app.supervisor import daemon
from app.supervisor.control import ControlFailed, running_stack, start_stack, stop_stack
from app.supervisor.resources import process_figures
from app.supervisor.state import StackPhase, StackState, read_state


def up(
    foreground: bool = typer.Option(
        False, help="Stay in this terminal (for systemd); SIGTERM stops everything."
    ),
) -> None:
    """Start everything in the background and print the page's address."""
    settings = get_settings()
    if foreground:
        raise typer.Exit(daemon.main([]))
    running = running_stack(settings)
    if running is not None and running.phase is StackPhase.READY:
        console.print(f"[green]✓[/] Already running: [bold]{running.page_url}[/]")
        return
    state = ensure_stack(settings)
    console.print(f"  logs {settings.logs_dir}", style="dim")
    console.print(f"[green]✓[/] MechInterp Studio runs at [bold]{state.page_url}[/]")


def down() -> None:
    """Stop everything; running jobs save themselves and continue at the next start."""
    settings = get_settings()
    began = time.monotonic()
    try:
        with console.status("Stopping …") as spinner:
            stopped = stop_stack(settings, lambda text: spinner.update(f"{text} …"))
    except ControlFailed as error:
        fail(str(error))
    if stopped:
        took = format_duration(time.monotonic() - began)
        console.print(f"[green]✓[/] Stopped in {took}. Your data stays in {settings.home}")
    else:
        console.print("Nothing was running.")


def status() -> None:
    """Show every process and the jobs that run."""
    settings = get_settings()
    state = running_stack(settings)
    if state is None:
        _explain_absence(settings)
        raise typer.Exit(3)
    console.print(f"[bold]{state.page_url or 'starting'}[/]  ({state.phase}, home {settings.home})")
    console.print(_process_table(state))
    if state.url and state.phase is StackPhase.READY:
        _print_jobs(state.url)
    _print_drift(settings)


def dev() -> None:
    """Start with automatic reload of the API and Vite's server; Ctrl-C stops everything."""
    settings = get_settings()
    if running_stack(settings) is not None:
        fail("The stack already runs without reload.", hint="Stop it first: make down")
    state = ensure_stack(settings, dev=True)
    console.print(f"[green]✓[/] page [bold]{state.page_url}[/]   API {state.url}/docs")
    console.print("  Ctrl-C stops everything; the workers do not reload by themselves", style="dim")
    logs = [Path(item.log) for item in state.processes if item.name in {"api", "page"}]
    try:
        follow_logs(logs, lambda: running_stack(settings) is not None)
    except KeyboardInterrupt:
        down()


def ensure_stack(settings: Settings, *, dev: bool = False) -> StackState:
    """The running stack, started when there is none; shows each step.

    Raises:
        typer.Exit: it could not be started; the reason has been printed.
    """
    running = running_stack(settings)
    if running is not None and running.phase is StackPhase.READY:
        return running
    began = time.monotonic()
    try:
        with console.status("Starting …") as spinner:
            state = start_stack(
                settings, lambda text: spinner.update(f"{text[:1].upper()}{text[1:]} …"), dev=dev
            )
    except ControlFailed as error:
        fail(str(error), hint=f"Logs: {settings.logs_dir}. `make doctor` looks for the cause.")
    took = format_duration(time.monotonic() - began)
    console.print(f"[green]✓[/] {len(state.processes)} processes started in {took}")
    return state


def _explain_absence(settings: Settings) -> None:
    last = read_state(settings.services_file)
    if last is None:
        console.print("Not running. Start it with: make up")
    elif last.phase is StackPhase.FAILED:
        errors.print(f"Not running; the last start failed: {last.message}", markup=False)
    else:
        console.print("Not running; it was killed. `make up` recovers and continues its jobs.")


def _process_table(state: StackState) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("process", "pid", "state", "up", "memory", "restarts"):
        table.add_column(heading, justify="left" if heading in {"process", "state"} else "right")
    for item in state.processes:
        figures = process_figures(item.pid) if item.pid else None
        table.add_row(
            item.name,
            str(item.pid or "–"),
            item.state,
            format_duration(time.time() - item.started_at) if figures and item.started_at else "–",
            format_bytes(figures.memory_bytes) if figures else "–",
            str(item.restarts),
            style=None if item.state == "running" else "yellow",
        )
    return table


def _print_jobs(url: str) -> None:
    jobs = read_running_jobs(url)
    if jobs is None:
        errors.print(
            "The API did not answer the question for running jobs. If it was started with "
            "MISTUDIO_TOKEN, set that here too."
        )
    elif not jobs:
        console.print("No job is running.")
    for job in jobs or []:
        console.print(f"  {job}", markup=False)


def _print_drift(settings: Settings) -> None:
    """What the last start found (the sweeper's ``run/drift.json``)."""
    try:
        found = len(json.loads((settings.run_dir / "drift.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return
    if found:
        word = "difference" if found == 1 else "differences"
        console.print(
            f"{found} {word} between rows and files at the start: see mistudio doctor",
            style="yellow",
        )
