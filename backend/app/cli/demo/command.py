"""``mistudio demo``: import, tokenise, extract, train, discover, steer."""

import os
import time
import webbrowser
from typing import Any

import typer

from app.cli.console import console, fail, format_duration
from app.cli.demo import budget as budgets
from app.cli.demo import discover, prepare, summary
from app.cli.demo.api import Api, DemoFailed
from app.cli.demo.extract import extract
from app.cli.demo.options import DemoOptions
from app.cli.demo.steer import steer
from app.cli.demo.train import train
from app.cli.stack_commands import ensure_stack
from app.core.config import Settings, get_settings

_INTERRUPTED = 130


def demo(
    model: str = typer.Option("", help="Model of the hub, e.g. EleutherAI/pythia-70m, or a path."),
    dataset: str = typer.Option(
        "", help="Dataset of the hub, e.g. roneneldan/TinyStories, or a path."
    ),
    tokens: int = typer.Option(0, min=0, help="Tokens to extract; 0 means by measured rate."),
    minutes: float = typer.Option(7.0, min=1.0, help="Time to aim at."),
    layer: int = typer.Option(-1, min=-1, help="Block to read; -1 means a third of the way up."),
    prompt: str = typer.Option("", help="Text to continue with and without steering."),
    url: str = typer.Option("", help="A server that runs elsewhere, e.g. in containers."),
    open_page: bool = typer.Option(True, "--open/--no-open", help="Open the page at the end."),
) -> None:
    """Take a real language model apart: from a corpus to features and a steered text."""
    options = DemoOptions(
        model=model or None,
        dataset=dataset or None,
        tokens=tokens or None,
        minutes=minutes,
        layer=layer if layer >= 0 else None,
        prompt=prompt or None,
        open_page=open_page,
    )
    settings = get_settings()
    budget = budgets.Budget(options.minutes)
    try:
        api, page = (url.rstrip("/"),) * 2 if url else _own_stack(settings)
        run(Api(api), options, settings, budget, page_url=page)
    except DemoFailed as error:
        fail(str(error), hint=f"Logs: {settings.logs_dir}. Run it again to continue from here.")
    except KeyboardInterrupt:
        console.print("\nThe jobs go on in the background. `make demo` shows the rest, ", end="")
        console.print("`make down` pauses and stops everything.")
        raise typer.Exit(_INTERRUPTED) from None


def _own_stack(settings: Settings) -> tuple[str, str]:
    """Addresses of the API and of the page, started if they were not."""
    state = ensure_stack(settings)
    if state.url is None or state.page_url is None:
        fail("The API has no address.", hint="make doctor")
    return state.url, state.page_url


def run(
    api: Api, options: DemoOptions, settings: Settings, budget: budgets.Budget, *, page_url: str
) -> None:
    """All steps against a running stack, then the summary.

    Raises:
        DemoFailed: a step failed.
    """
    began = time.monotonic()
    model, dataset = prepare.get_inputs(api, options)
    tokens = prepare.tokenise(api, model, dataset)
    store = extract(api, model, tokens, options, budget)
    training = discover.discover(api, train(api, model, store, budget))
    features = discover.choose_features(api, training)
    if not features:
        raise DemoFailed("Features: none has a label; train on more tokens (TOKENS=…).")
    steered = steer(api, training, features, options.prompt)
    summary.print_figures(measured_rates(api, tokens, store, training), training)
    pushed = steered["features"][0]["id"]
    shown = sorted(features, key=lambda feature: bool(feature["id"] != pushed))
    summary.print_features(shown[: discover.SHOWN])
    summary.print_steering(steered)
    summary.print_places(settings.data_root, training, store, page_url)
    console.print(f"  took {format_duration(time.monotonic() - began)}", style="dim")
    if options.open_page and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(page_url)


def measured_rates(
    api: Api, tokens: dict[str, Any], store: dict[str, Any], training: dict[str, Any]
) -> list[tuple[str, int, float | None]]:
    """Tokens and rate of each step, as its job recorded them."""
    seen = training["current_step"] * training["hyperparameters"]["batch_size"]
    found = _result(api, training["discovery_job"])
    return [
        ("tokenise", tokens["n_tokens"], (tokens["metadata"] or {}).get("tokens_per_second")),
        ("extract", store["n_tokens"], (store["metadata"] or {}).get("tokens_per_second")),
        ("train", seen, _result(api, training["job"]).get("tokens_per_second")),
        ("discover", found.get("n_tokens") or store["n_tokens"], found.get("tokens_per_second")),
    ]


def _result(api: Api, summary_of_job: dict[str, Any] | None) -> dict[str, Any]:
    if summary_of_job is None:
        return {}
    return api.get(f"/jobs/{summary_of_job['id']}")["result"] or {}
