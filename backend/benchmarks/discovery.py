"""Discovery of all features against forward and encode: ``python -m benchmarks.discovery``.

"Forward and encode" is the bare model up to the hooked block and the dictionary's encoder on the
same tokens: what cannot be saved. Discovery reads what an extraction stored, so that a second
dictionary on the same store costs no forward pass at all; both are told.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from app.ml.activation_extraction import (
    ActivationStore,
    TokenStore,
    extract_activations,
    tokenize_documents,
)
from app.ml.configs import (
    DiscoveryConfig,
    ExtractionConfig,
    TokenizationConfig,
    TrainingHyperparameters,
)
from app.ml.feature_discovery import DiscoveryResult, discover_features
from app.ml.language_models import LoadedModel, load_language_model
from app.ml.language_models.hook_points import find_blocks
from app.ml.records import Progress
from app.ml.sae_training import load_sae, train
from benchmarks.dashboard import FEATURES_AT_ONCE, DashboardMissing, say_missing, time_dashboard
from benchmarks.extraction import SMALL_MODEL, sources
from benchmarks.timing import print_machine

HOOK = "residual"


@dataclass(frozen=True)
class Subject:
    """A model, its text, an extraction and a dictionary trained on it."""

    model: Path
    loaded: LoadedModel
    layer: int
    tokens: TokenStore
    store: ActivationStore
    sae_path: Path


def never() -> bool:
    return False


def ignore(_: object) -> None:
    pass


def prepare(options: argparse.Namespace, folder: Path) -> Subject:
    loaded = load_language_model(options.model, dtype="float32")
    layer = loaded.card.n_layers // 2 if options.layer is None else options.layer
    config = TokenizationConfig(max_length=options.length, max_tokens=options.tokens)
    tokenize_documents(sources(), options.model, folder / "tokens", config, ignore, never)
    tokens = TokenStore.open(folder / "tokens")
    extract(loaded, layer, tokens, folder / "store")
    store = ActivationStore.open(folder / "store")
    settings = TrainingHyperparameters(
        expansion_factor=options.latents // loaded.card.d_model, k=options.k, batch_size=2048,
        training_steps=options.steps, checkpoint_every=0,
    )  # fmt: skip
    outcome = train(
        store, layer, HOOK, "sparse", settings, folder / "sae",
        report=ignore, should_stop=lambda: None, on_checkpoint=ignore,
    )  # fmt: skip
    return Subject(options.model, loaded, layer, tokens, store, outcome.checkpoint.path)


def extract(loaded: LoadedModel, layer: int, tokens: TokenStore, folder: Path) -> None:
    config = ExtractionConfig(layers=(layer,), dtype="float32")
    extract_activations(loaded, tokens, folder, config, ignore, never)


def forward_and_encode(subject: Subject, batch: int) -> None:
    """Run the bare model on all windows and encode what comes out."""
    sae = load_sae(subject.sae_path)
    shortened = load_language_model(subject.model, dtype="float32")
    del find_blocks(shortened.model)[1][subject.layer + 1 :]
    windows = np.arange(subject.tokens.n_windows)
    width = subject.loaded.card.d_model
    with torch.inference_mode():
        for start in range(0, len(windows), batch):
            ids_BS = torch.from_numpy(subject.tokens.read_windows(windows[start : start + batch]))
            states_BSD = shortened.body(input_ids=ids_BS, use_cache=False).last_hidden_state
            sae.encode_active(states_BSD.reshape(-1, width))


class Phases:
    """Tells the seconds of reading and of describing from a discovery's reports."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.read = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.unit == "tokens":
            self.read = time.perf_counter() - self.began


def discover(subject: Subject, layout: str, coherence: int) -> tuple[DiscoveryResult, Phases]:
    phases = Phases()
    found = discover_features(
        subject.sae_path, subject.store, subject.tokens, subject.loaded, subject.layer, HOOK,
        DiscoveryConfig(layout=layout, coherence_features=coherence), phases, never,
    )  # fmt: skip
    return found, phases


@dataclass
class Cost:
    """By the clock, and of the processor for this process."""

    seconds: float
    processor: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.processor + other.processor)


def cost_of(call: Callable[[], object]) -> Cost:
    began, began_processor = time.perf_counter(), time.process_time()
    call()
    return Cost(time.perf_counter() - began, time.process_time() - began_processor)


def seconds_of(call: Callable[[], object]) -> float:
    return cost_of(call).seconds


def compare(subject: Subject, options: argparse.Namespace) -> Cost:
    """Print rounds in turns; returns the cheapest whole discovery."""
    n_tokens, n_features = subject.store.n_rows, load_sae(subject.sae_path).d_sae
    print(
        f"\nDiscovery: {n_features:,} features, {n_tokens:,} tokens, no map, coherence of "
        f"{options.coherence} features, else all defaults"
    )
    print(f"{'round':<8}{'forward + encode s':>20}{'read s':>10}{'describe s':>12}"
          f"{'rows s':>8}{'read / f+e':>12}{'all / f+e':>11}{'processor':>11}")  # fmt: skip
    costs = []
    for number in range(options.rounds):
        bare = cost_of(lambda: forward_and_encode(subject, options.batch))
        results: list[tuple[DiscoveryResult, Phases]] = []
        whole = cost_of(lambda: results.append(discover(subject, "none", options.coherence)))  # noqa: B023
        [(found, phases)] = results
        with found:
            rows = cost_of(lambda: [found.contexts(i) for i in range(n_features)])  # noqa: B023
        costs.append(whole + rows)
        describe = whole.seconds - phases.read
        print(f"{number + 1:<8}{bare.seconds:>20.1f}{phases.read:>10.1f}{describe:>12.1f}"
              f"{rows.seconds:>8.1f}{phases.read / bare.seconds:>12.2f}"
              f"{costs[-1].seconds / bare.seconds:>11.2f}"
              f"{costs[-1].processor / bare.processor:>11.2f}", flush=True)  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"peak memory of this process, model and training included: {peak:.2f} GB")
    return min(costs, key=lambda cost: cost.processor)


def against_dashboard(
    subject: Subject, options: argparse.Namespace, discovery: Cost, folder: Path
) -> None:
    """Print both programs' time for the whole dictionary, theirs from two of its batches.

    Its first batch runs the model, which a discovery has from an extraction: that is added to ours.
    """
    n_features = load_sae(subject.sae_path).d_sae
    try:
        measured = time_dashboard(
            options.dashboard, subject.model, subject.loaded, subject.layer, subject.tokens,
            subject.sae_path, folder / "dashboard",
        )  # fmt: skip
    except DashboardMissing as error:
        say_missing(str(error))
        return
    again = folder / "again"
    extraction = cost_of(lambda: extract(subject.loaded, subject.layer, subject.tokens, again))
    print(
        f"\n{n_features:,} features, theirs calculated from two batches of {FEATURES_AT_ONCE}\n"
        f"{'seconds':<12}{'first batch':>12}{'from cache':>12}{'theirs':>10}{'extraction':>12}"
        f"{'discovery':>11}{'ratio':>8}{'with a store':>14}"
    )
    for name, ours, extracting in (
        ("clock", discovery.seconds, extraction.seconds),
        ("processor", discovery.processor, extraction.processor),
    ):
        first, later = measured["seconds" if name == "clock" else name]
        theirs = first + later * (n_features / FEATURES_AT_ONCE - 1)
        print(
            f"{name:<12}{first:>12.1f}{later:>12.1f}{theirs:>10.1f}{extracting:>12.1f}{ours:>11.1f}"
            f"{theirs / (ours + extracting):>8.1f}{theirs / ours:>14.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", type=Path, default=SMALL_MODEL)
    parser.add_argument("--layer", type=int, help="default: the middle one")
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--latents", type=int, default=1024)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--steps", type=int, default=200, help="of training the dictionary")
    parser.add_argument("--batch", type=int, default=64, help="windows at once")
    parser.add_argument("--length", type=int, default=128, help="tokens of a window")
    parser.add_argument(
        "--coherence", type=int, default=0,
        help="features whose contexts are embedded: a cost of its own, whatever text and latents",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--dashboard", type=Path, help="Python of an environment with SAEDashboard")
    options = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory(prefix="benchmark-discovery-") as name:
        subject = prepare(options, Path(name))
        cost = compare(subject, options)
        against_dashboard(subject, options, cost, Path(name))


if __name__ == "__main__":
    main()
