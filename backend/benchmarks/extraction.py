"""Reading activations: ``python -m benchmarks.extraction [MODEL_FOLDER] [--layer N]``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from app.ml.devices import is_bf16_faster
from app.ml.language_models import (
    LoadedModel,
    capture,
    load_language_model,
    resolve_hook_point,
)
from benchmarks.timing import print_machine, print_table, time_in_turns

SMALL_MODEL = Path(__file__).parent.parent / "tests" / "data" / "glass-en"


def plain_forward(loaded: LoadedModel, ids_BS: torch.Tensor, layer: int) -> torch.Tensor:
    """As one writes it first: the whole model with logits, all hidden states kept."""
    with torch.no_grad():
        output = loaded.model(ids_BS, output_hidden_states=True)
    states: torch.Tensor = output.hidden_states[layer + 1]
    return states


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", type=Path, default=SMALL_MODEL)
    parser.add_argument("--layer", type=int, help="default: the middle one")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    full = load_language_model(options.model, dtype="float32")
    layer = full.card.n_layers // 2 if options.layer is None else options.layer
    ids_BS = torch.randint(5, full.card.vocab_size, (options.batch, options.length))
    point = resolve_hook_point(full.model, layer, "residual")
    versions = {
        "plain, whole model, float32": lambda: plain_forward(full, ids_BS, layer),
        "own, stops at the layer, float32": lambda: capture(full, ids_BS, [point]),
    }
    if is_bf16_faster("cpu"):
        half = load_language_model(options.model, dtype="bfloat16")
        versions["own, stops at the layer, bfloat16"] = lambda: capture(half, ids_BS, [point])
    print_machine()
    timings = time_in_turns(versions, options.rounds)
    title = (
        f"{options.model.name}: residual stream after layer {layer} of {full.card.n_layers}, "
        f"{options.batch} x {options.length} tokens"
    )
    print_table(title, timings, ids_BS.numel())


if __name__ == "__main__":
    main()
