"""Reading activations: ``python -m benchmarks.extraction [MODEL_FOLDER] [--layer N]``.

"store" is the whole extraction as a job does it: calibration, filters, files, checksums, index.
It is compared with the bare forward pass of a model that ends with the hooked block and has
neither hooks nor files.
"""

from __future__ import annotations

import argparse
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from app.ml.activation_extraction import TokenStore, extract_activations, tokenize_documents
from app.ml.configs import ExtractionConfig, TokenizationConfig
from app.ml.devices import is_bf16_faster
from app.ml.language_models import (
    LoadedModel,
    capture,
    load_language_model,
    resolve_hook_point,
)
from app.ml.language_models.hook_points import find_blocks
from benchmarks.timing import print_machine, print_table, time_in_turns

SMALL_MODEL = Path(__file__).parent.parent / "tests" / "data" / "glass-en"


def whole_model(loaded: LoadedModel, batches: list[torch.Tensor], layer: int) -> None:
    """As one writes it first: the whole model with logits, all hidden states kept."""
    with torch.no_grad():
        for ids_BS in batches:
            _ = loaded.model(ids_BS, output_hidden_states=True).hidden_states[layer + 1]


def bare_forward(body: torch.nn.Module, batches: list[torch.Tensor]) -> None:
    with torch.inference_mode():
        for ids_BS in batches:
            body(input_ids=ids_BS, use_cache=False)


def only_capture(loaded: LoadedModel, batches: list[torch.Tensor], layer: int) -> None:
    point = resolve_hook_point(loaded.model, layer, "residual")
    for ids_BS in batches:
        capture(loaded, ids_BS, [point])


def whole_extraction(loaded: LoadedModel, tokens: TokenStore, config: ExtractionConfig) -> None:
    with tempfile.TemporaryDirectory() as folder:
        extract_activations(
            loaded, tokens, Path(folder) / "store", config, lambda _: None, lambda: False
        )


def truncated(folder: Path, layer: int) -> torch.nn.Module:
    """Return the model's body without the blocks behind ``layer``."""
    loaded = load_language_model(folder, dtype="float32")
    del find_blocks(loaded.model)[1][layer + 1 :]
    return loaded.body


def sources() -> Iterator[str]:
    """Yield texts that every machine has: the modules of the standard library."""
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        yield path.read_text(encoding="utf-8", errors="ignore")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", type=Path, default=SMALL_MODEL)
    parser.add_argument("--layer", type=int, help="default: the middle one")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--windows", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--whole", action="store_true", help="time the whole model too")
    options = parser.parse_args()
    full = load_language_model(options.model, dtype="float32")
    layer = full.card.n_layers // 2 if options.layer is None else options.layer
    with tempfile.TemporaryDirectory() as folder:
        tokens = _tokens(options, Path(folder) / "tokens")
        versions = _versions(options, full, tokens, layer)
        print_machine()
        timings = time_in_turns(versions, options.rounds)
    title = (
        f"{options.model.name}: residual stream after layer {layer} of {full.card.n_layers}, "
        f"{options.windows} windows of {options.length} tokens, {options.batch} at once"
    )
    print_table(title, timings, options.windows * options.length)


def _tokens(options: argparse.Namespace, folder: Path) -> TokenStore:
    config = TokenizationConfig(
        max_length=options.length, max_tokens=2 * options.windows * options.length
    )
    tokenize_documents(sources(), options.model, folder, config, lambda _: None, lambda: False)
    return TokenStore.open(folder)


def _versions(
    options: argparse.Namespace, full: LoadedModel, tokens: TokenStore, layer: int
) -> dict[str, Callable[[], object]]:
    config = ExtractionConfig(
        layers=(layer,), batch_size=options.batch, max_samples=options.windows
    )
    ids = torch.from_numpy(tokens.read_windows(np.arange(options.windows)))
    batches = list(torch.split(ids, options.batch))
    body = truncated(options.model, layer)
    versions: dict[str, Callable[[], object]] = {
        "bare forward pass to the layer, float32": lambda: bare_forward(body, batches),
        "own, hook and early exit": lambda: only_capture(full, batches, layer),
        "own, store": lambda: whole_extraction(full, tokens, config),
    }
    if options.whole:
        versions["plain, whole model"] = lambda: whole_model(full, batches, layer)
    if is_bf16_faster("cpu"):
        half = load_language_model(options.model, dtype="bfloat16")
        versions["own, store, bfloat16"] = lambda: whole_extraction(half, tokens, config)
    return versions


if __name__ == "__main__":
    main()
