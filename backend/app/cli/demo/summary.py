"""What the demo found, every figure as measured and stored."""

import re
from pathlib import Path
from typing import Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.cli.console import console
from app.cli.demo.discover import label_words
from app.cli.demo.steer import metric

Resource = dict[str, Any]
_SHOWN_FIGURES = (
    ("explained_variance", "{:.3f}"),
    ("l0", "{:.1f}"),
    ("dead_share", "{:.1%}"),
    ("ce_recovered_zero", "{:.3f}"),
)
_CONTEXT_WIDTH = 76


def print_figures(rates: list[tuple[str, int, float | None]], training: Resource) -> None:
    """Tokens and rates of each step, then the held-out figures.

    Args:
        rates: Step, tokens, tokens per second (None where it was not measured).
        training: The completed training.
    """
    console.print()
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("step")
    table.add_column("tokens", justify="right")
    table.add_column("tokens/s", justify="right")
    for name, tokens, rate in rates:
        table.add_row(name, f"{tokens:,}", f"{rate:,.0f}" if rate else "–")
    console.print(table)
    console.print()
    figures = {item["key"]: item for item in (training["evaluation"] or {})["figures"]}
    held_out = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("held-out figure", "value", "measured on"):
        held_out.add_column(heading, justify="right" if heading == "value" else "left")
    for key, shape in _SHOWN_FIGURES:
        if key in figures:
            item = figures[key]
            value, measured_on = shape.format(item["value"]), f"{item['n_tokens']:,} tokens"
            held_out.add_row(item["label"], value, measured_on)
    console.print(held_out)


def print_features(features: list[Resource]) -> None:
    """Each feature with its label and strongest contexts, the firing token highlighted."""
    console.print()
    console.print("[bold]Five of the features[/], with the contexts that fire them most")
    for feature in features:
        frequency = feature["activation_frequency"]
        console.print()
        console.print(
            Text(f"#{feature['neuron_index']} ", style="dim")
            + Text(str(feature["label"]), style="bold cyan")
            + Text(f"  fires on {frequency:.2%} of tokens", style="dim")
        )
        for example in feature["examples"]:
            console.print(Text("   ") + highlight(example), no_wrap=True, overflow="crop")


def highlight(example: Resource, width: int = _CONTEXT_WIDTH) -> Text:
    """One line of context around the strongest token, which is marked also without colour."""
    tokens, position = example["tokens"], example["position"]
    token = tokens[position]
    peak = token.strip() or token.replace("\n", "⏎")
    gap = " " if token[:1].isspace() and token.strip() else ""
    before = _one_line("".join(tokens[:position]) + gap).lstrip()
    after = _one_line("".join(tokens[position + 1 :]))
    room = max(8, (width - len(peak) - 2) // 2)
    line = Text(before[-room:].rjust(room), style="dim")
    line.append(f"[{peak}]", style="bold black on yellow")
    line.append(after[:room], style="dim")
    return line


def print_steering(result: Resource) -> None:
    feature = result["features"][0]
    words = label_words({"label": feature["name"]})
    kl = metric(result, "kl_mean")
    label = f"{feature['name']} × {feature['coefficient']:g} of its largest activation"
    console.print()
    console.print(f"[bold]Steering[/] with {label}", end="")
    console.print(f", KL {kl:.3f} nats per token" if kl is not None else "")
    for title, text in (
        ("unsteered", result["unsteered_output"]["text"]),
        ("steered", result["steered_output"]["text"]),
    ):
        body = Text(result["prompt"], style="dim") + Text(text)
        body.highlight_words(words, style="bold yellow", case_sensitive=False)
        console.print(Panel(body, title=title, title_align="left", border_style="dim"))


def print_places(data_root: Path, training: Resource, store: Resource, url: str) -> None:
    console.print()
    console.print("[bold]Files[/]")
    for path in (
        data_root / "models" / training["model_id"],
        data_root / "datasets" / training["dataset_id"],
        data_root / "activations" / store["id"],
        data_root / "checkpoints" / training["id"],
    ):
        console.print(f"  {path}", markup=False, soft_wrap=True)
    console.print()
    console.print(f"[green]✓[/] See it all at [bold]{url}[/]   (make down stops it)")


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)
