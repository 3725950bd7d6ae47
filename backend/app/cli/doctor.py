"""``mistudio doctor``: is everything there that the product needs?"""

import json
from collections.abc import Callable
from dataclasses import asdict

import typer

from app.cli.checks import drift, machine, page, servers, torch_device
from app.cli.checks.outcome import Level, Outcome
from app.cli.console import console
from app.cli.tools import database
from app.core.config import Settings, get_settings

CHECKS: tuple[Callable[[Settings], Outcome], ...] = (
    machine.check_python,
    machine.check_cores,
    machine.check_memory,
    machine.check_disk,
    machine.check_file_system,
    torch_device.check_torch,
    torch_device.check_embedder,
    servers.check_postgres,
    servers.check_valkey,
    servers.check_migrations,
    servers.check_port,
    page.check_page,
    drift.check_drift,
)
_SIGNS = {Level.OK: "[green]✓[/]", Level.WARN: "[yellow]![/]", Level.FAIL: "[bold red]✗[/]"}


def doctor(
    as_json: bool = typer.Option(False, "--json", help="Print the findings as JSON."),
    repair: bool = typer.Option(
        False, "--repair", help="Bring rows and files together again, then check."
    ),
) -> None:
    """Check the machine, the servers and the installation; say what to do."""
    settings = get_settings()
    if repair:
        _repair(settings)
    outcomes = []
    for check in CHECKS:
        outcome = check(settings)
        outcomes.append(outcome)
        if not as_json:
            _print(outcome)
    if as_json:
        typer.echo(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))
    else:
        _summarise(outcomes)
    raise typer.Exit(1 if any(outcome.level is Level.FAIL for outcome in outcomes) else 0)


def _repair(settings: Settings) -> None:
    with database(settings) as url:
        mended = drift.mend_drift(settings, url)
    for finding in mended:
        console.print(f"{finding.what}: {finding.problem} → {finding.remedy}", markup=False)
    console.print(f"{len(mended)} differences between rows and files mended.")


def _print(outcome: Outcome) -> None:
    console.print(_SIGNS[outcome.level], end=" ")
    console.print(f"{outcome.subject:<11} {outcome.finding}", markup=False, soft_wrap=True)
    if outcome.advice:
        console.print(f"  {'':<11} → {outcome.advice}", markup=False, soft_wrap=True)


def _summarise(outcomes: list[Outcome]) -> None:
    failures = sum(outcome.level is Level.FAIL for outcome in outcomes)
    warnings = sum(outcome.level is Level.WARN for outcome in outcomes)
    if failures:
        console.print(f"[bold red]{failures} to mend[/], {warnings} to know")
    else:
        console.print("[green]All is well.[/]" if not warnings else f"{warnings} to know.")
