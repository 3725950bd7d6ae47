"""Steered generation beside plain: ``python -m benchmarks.steering [MODEL] [--layer N]``.

All versions take turns in one run, each round in another order, and every figure is the median of
the rounds' own ratios: what else the machine does falls on both sides of a ratio alike. On a busy
machine the processor's time says more than the clock. What steering costs per token is taken behind
the first one: a steered prompt is read twice, once with and once without.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from app.ml.configs import SteeringConfig
from app.ml.language_models import LoadedModel, load_language_model
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder
from app.ml.steering import FeatureEdit, feature_edit, generate_comparison
from app.ml.steering.decoding import BatchDecoder
from app.ml.steering.generation import make_pair
from app.ml.steering.prompts import encode_prompt
from app.ml.steering.rows import RowPlan
from benchmarks.timing import print_machine

SMALL_MODEL = Path(__file__).parent.parent / "tests" / "data" / "glass-en"
PROMPT = "Alice was beginning to get very tired of sitting by her sister on the"
N_ROWS = 3
"""The unsteered text, the steered one and its shadow: what a comparison decodes."""
EXPANSION, K = 8, 32
PLAIN, COMPARISON = "one plain generate of transformers", "comparison: both texts, all figures"
ROWS, WATCHED = (
    f"{N_ROWS} unsteered rows by the same loop *",
    f"{N_ROWS} unsteered rows, latent read *",
)
DIRECTION, FEATURE = "steered along a direction *", "steered by a feature, latent read *"
RATIOS = (
    ("comparison / one plain generate", COMPARISON, PLAIN, "at most 1.40"),
    ("steered along a direction / unsteered rows", DIRECTION, ROWS, "at most 1.03"),
    ("steered by a feature / unsteered rows with it read", FEATURE, WATCHED, "at most 1.03"),
    ("reading the latent of a top-k dictionary", WATCHED, ROWS, ""),
)


@dataclass(frozen=True)
class Seconds:
    """Of each round: by the clock, and of the processor for this process alone."""

    clock: list[float]
    processor: list[float]


def random_dictionary(loaded: LoadedModel) -> SparseAutoencoder:
    """A top-k dictionary of random unit directions: as slow to read as a trained one."""
    width = loaded.card.d_model
    drawn_FD = torch.randn(EXPANSION * width, width, generator=torch.Generator().manual_seed(0))
    rows_FD = torch.nn.functional.normalize(drawn_FD, dim=1)
    tensors = {
        "W_enc_DF": rows_FD.T.contiguous(), "W_dec_FD": rows_FD,
        "b_enc_F": torch.zeros(len(rows_FD)), "b_dec_D": torch.zeros(width),
    }  # fmt: skip
    return SparseAutoencoder(tensors, "topk", K)


def plain_generate(loaded: LoadedModel, config: SteeringConfig) -> None:
    """One text by transformers itself."""
    ids_1S = torch.tensor([encode_prompt(loaded, config)], device=loaded.device)
    n = config.max_new_tokens
    with torch.inference_mode():
        loaded.model.generate(
            ids_1S, attention_mask=torch.ones_like(ids_1S), do_sample=False, pad_token_id=0,
            min_new_tokens=n, max_new_tokens=n,
        )  # fmt: skip


def unsteered_rows(
    loaded: LoadedModel, config: SteeringConfig, edit: FeatureEdit | None
) -> BatchDecoder:
    """As many rows as a comparison decodes, by the same loop, without anything steered."""
    watched = [edit.latent] if edit is not None and edit.latent is not None else []
    plans = [RowPlan("plain", (), n) for n in range(N_ROWS)]
    return BatchDecoder(loaded, config, plans, watched)


def behind_first_token(decoder: BatchDecoder) -> Seconds:
    """Run it; what the tokens behind the first one took."""
    stamps: list[tuple[float, float]] = []

    def stamp() -> bool:  # asked before each step
        stamps.append((time.perf_counter(), time.process_time()))
        return False

    decoder.should_stop = stamp
    decoder.run()
    (clock, processor), now = stamps[1], (time.perf_counter(), time.process_time())
    return Seconds([now[0] - clock], [now[1] - processor])


def versions_of(
    loaded: LoadedModel, config: SteeringConfig, layer: int, first_tokens: list[float]
) -> dict[str, Callable[[], Seconds | None]]:
    sae = random_dictionary(loaded)
    feature = feature_edit(sae, 0, layer, "residual", 0.1, "norm")
    direction = FeatureEdit(layer, "residual", sae.W_dec_FD[1], 0.1, unit="norm")

    def compare() -> None:
        result = generate_comparison(loaded, [feature], config)
        n_tokens = len(result.unsteered.tokens), len(result.steered.tokens)
        if min(n_tokens) < config.max_new_tokens:
            raise SystemExit(f"A text ended early ({n_tokens}); ask for fewer tokens.")
        first_tokens.append(result.first_token_seconds)

    return {
        PLAIN: lambda: plain_generate(loaded, config),
        COMPARISON: compare,
        ROWS: lambda: behind_first_token(unsteered_rows(loaded, config, None)),
        DIRECTION: lambda: behind_first_token(make_pair(loaded, [direction], config)),
        WATCHED: lambda: behind_first_token(unsteered_rows(loaded, config, feature)),
        FEATURE: lambda: behind_first_token(make_pair(loaded, [feature], config)),
    }


def time_rounds(
    versions: dict[str, Callable[[], Seconds | None]], rounds: int
) -> dict[str, Seconds]:
    """Time every version in every round, each round in another order, after one to warm up.

    A version may say itself what is to be counted. What the version before left behind is thrown
    away first, so that nobody pays for another.
    """
    for call in versions.values():
        call()
    found = {name: Seconds([], []) for name in versions}
    draw = random.Random(0)
    for _ in range(rounds):
        for name in draw.sample(list(versions), len(versions)):
            gc.collect()
            clock, processor = time.perf_counter(), time.process_time()
            own = versions[name]()  # ends with tokens on the host, so a GPU has ended too
            now = Seconds([time.perf_counter() - clock], [time.process_time() - processor])
            found[name].clock.extend((own or now).clock)
            found[name].processor.extend((own or now).processor)
    return found


def median_ratio(above: list[float], below: list[float]) -> str:
    """The median of the rounds' ratios and the middle half of them."""
    ratios = sorted(a / b for a, b in zip(above, below, strict=True))
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    return f"{statistics.median(ratios):.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", type=Path, default=SMALL_MODEL)
    parser.add_argument("--layer", type=int, help="default: the middle one")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    loaded = load_language_model(options.model, device=options.device)
    layer = loaded.card.n_layers // 2 if options.layer is None else options.layer
    config = SteeringConfig(prompt=PROMPT, max_new_tokens=options.tokens, temperature=0.0)
    print_machine()
    first_tokens: list[float] = []
    seconds = time_rounds(versions_of(loaded, config, layer, first_tokens), options.rounds)
    print(
        f"\n{options.model.name}: {options.tokens} tokens, layer {layer}, {loaded.dtype} on "
        f"{loaded.device}, {options.rounds} rounds"
    )
    print(f"{'version':<54}{'ms/token median':>16}{'best':>8}")
    for name, each in seconds.items():
        figures = statistics.median(each.clock), min(each.clock)
        median, best = (1000 * s / options.tokens for s in figures)
        print(f"{name:<54}{median:>16.2f}{best:>8.2f}")
    print("* behind the first token")
    print(f"\n{'median ratio within a round (middle half)':<54}{'clock':>24}{'processor':>24}")
    for label, above, below, aim in RATIOS:
        clock = median_ratio(seconds[above].clock, seconds[below].clock)
        processor = median_ratio(seconds[above].processor, seconds[below].processor)
        print(f"{label:<54}{clock:>24}{processor:>24}  {aim}")
    warm = [1000 * s for s in first_tokens[1:]]
    print(f"first token, warm: {statistics.median(warm):.0f} ms median, {min(warm):.0f} ms best")


if __name__ == "__main__":
    main()
