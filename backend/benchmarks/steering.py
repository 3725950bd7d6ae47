"""Steered generation beside plain: ``python -m benchmarks.steering [MODEL] [--layer N]``."""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import torch

from app.ml.configs import SteeringConfig
from app.ml.language_models import LoadedModel, load_language_model
from app.ml.steering import FeatureEdit, generate_comparison
from app.ml.steering.decoding import BatchDecoder
from app.ml.steering.prompts import encode_prompt
from app.ml.steering.rows import RowPlan
from benchmarks.timing import print_machine, time_in_turns

SMALL_MODEL = Path(__file__).parent.parent / "tests" / "data" / "glass-en"
PROMPT = "Alice was beginning to get very tired of sitting by her sister on the"
N_ROWS = 3
"""The unsteered text, the steered one and its shadow: what a comparison decodes."""


def random_edit(loaded: LoadedModel, layer: int) -> FeatureEdit:
    """A random direction at a tenth of the state's norm."""
    drawn_D = torch.randn(loaded.card.d_model, generator=torch.Generator().manual_seed(0))
    return FeatureEdit(layer, "residual", drawn_D / drawn_D.norm(), 0.1, unit="norm")


def plain_generate(loaded: LoadedModel, config: SteeringConfig) -> None:
    """One text by transformers itself."""
    ids_1S = torch.tensor([encode_prompt(loaded, config)], device=loaded.device)
    n = config.max_new_tokens
    with torch.inference_mode():
        loaded.model.generate(
            ids_1S, attention_mask=torch.ones_like(ids_1S), do_sample=False, pad_token_id=0,
            min_new_tokens=n, max_new_tokens=n,
        )  # fmt: skip


def unsteered_rows(loaded: LoadedModel, config: SteeringConfig) -> None:
    """As many rows as a comparison decodes, by the same loop, without anything steered."""
    BatchDecoder(loaded, config, [RowPlan("plain", (), n) for n in range(N_ROWS)]).run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", type=Path, default=SMALL_MODEL)
    parser.add_argument("--layer", type=int, help="default: the middle one")
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    loaded = load_language_model(options.model)
    layer = loaded.card.n_layers // 2 if options.layer is None else options.layer
    config = SteeringConfig(prompt=PROMPT, max_new_tokens=options.tokens, temperature=0.0)
    edit = random_edit(loaded, layer)
    first_tokens: list[float] = []

    def compare() -> None:
        result = generate_comparison(loaded, [edit], config)
        n_tokens = len(result.unsteered.tokens), len(result.steered.tokens)
        if max(n_tokens) < options.tokens:
            raise SystemExit(f"Both texts ended early ({n_tokens}); ask for fewer tokens.")
        first_tokens.append(result.first_token_seconds)

    print_machine()
    timings = time_in_turns(
        {
            "one plain generate": lambda: plain_generate(loaded, config),
            "comparison: both texts and their figures": compare,
            f"{N_ROWS} unsteered rows by the same loop": lambda: unsteered_rows(loaded, config),
        },
        options.rounds,
    )
    print(f"\n{options.model.name}: {options.tokens} tokens each, layer {layer}, {loaded.dtype}")
    print(f"{'version':<44}{'ms/token best':>15}{'median':>12}{'ratio':>8}")
    for timing in timings:
        best, median = (1000 * s / options.tokens for s in (timing.best, timing.median))
        ratio = timing.median / timings[0].median
        print(f"{timing.name:<44}{best:>15.1f}{median:>12.1f}{ratio:>8.2f}")
    overhead = timings[1].median / timings[2].median - 1
    print(f"steering beside as many unsteered rows: {overhead:+.1%}")
    warm = [1000 * seconds for seconds in first_tokens[1:]]
    print(f"first token, warm: {min(warm):.0f} ms best, {statistics.median(warm):.0f} ms median")


if __name__ == "__main__":
    main()
