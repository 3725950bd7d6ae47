"""Fair timing on a machine that may be shared: the versions take turns."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from app.ml.devices import bf16_speedup


@dataclass(frozen=True)
class Timing:
    """Seconds per call; the best is what a quiet machine would give most often."""

    name: str
    best: float
    median: float


def time_in_turns(versions: dict[str, Callable[[], object]], rounds: int) -> list[Timing]:
    """Call every version once per round, after one call to warm up, and time each call."""
    for call in versions.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in versions}
    for _ in range(rounds):
        for name, call in versions.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return [Timing(n, min(s), statistics.median(s)) for n, s in seconds.items()]


def print_table(title: str, timings: list[Timing], tokens: int) -> None:
    """Print tokens per second of each version and its ratio to the first."""
    print(f"\n{title}")
    print(f"{'version':<44}{'tokens/s best':>15}{'median':>12}{'ratio':>8}")
    first = timings[0]
    for timing in timings:
        best, median = tokens / timing.best, tokens / timing.median
        print(f"{timing.name:<44}{best:>15,.0f}{median:>12,.0f}{first.best / timing.best:>8.2f}")


def print_machine() -> None:
    """Print what the figures depend on."""
    load = os.getloadavg()[0]
    print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, bfloat16 products "
        f"{bf16_speedup():.1f}x float32, load average {load:.1f}"
        + (" (other programs are running: figures are too low)" if load > 1 else "")
    )
