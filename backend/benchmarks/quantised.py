"""What few bits do to a language model: ``python -m benchmarks.quantised MODEL TEXT``.

MODEL is a Hugging Face folder or a GGUF file, TEXT a plain text that is read in windows.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from pathlib import Path

import torch

from app.ml.language_models import LoadedModel, import_language_model, load_language_model
from benchmarks.timing import print_machine

FORMATS = ("FP32", "Q8", "Q4", "Q2")


@torch.inference_mode()
def log_probabilities(loaded: LoadedModel, ids_BS: torch.Tensor) -> torch.Tensor:
    """Return log probabilities of every next token, float32 (B, S - 1, vocabulary)."""
    rows = [loaded.model(ids_S.unsqueeze(0)).logits[:, :-1].float() for ids_S in ids_BS]
    return torch.cat(rows).log_softmax(dim=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--length", type=int, default=128)
    options = parser.parse_args()
    print_machine()
    print(f"{'format':<8}{'MB':>8}{'load s':>8}{'tokens/s':>10}{'CE':>8}{'ppl':>9}{'KL':>8}")
    exact = None
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            import_language_model(options.model, path, lambda _: None, quantization=name)
            start = time.perf_counter()
            loaded = load_language_model(path, dtype="float32")
            seconds = time.perf_counter() - start
            ids_BS = _windows(loaded, options)
            start = time.perf_counter()
            found = log_probabilities(loaded, ids_BS)
        rate = ids_BS.numel() / (time.perf_counter() - start)
        exact = found if exact is None else exact
        loss = -found.gather(2, ids_BS[:, 1:].unsqueeze(2)).mean().item()
        gap = (exact.exp() * (exact - found)).sum(dim=2).mean().item()
        print(
            f"{name:<8}{loaded.card.memory_bytes / 1e6:>8.0f}{seconds:>8.1f}{rate:>10.0f}"
            f"{loss:>8.3f}{math.exp(loss):>9.1f}{gap:>8.3f}"
        )


def _windows(loaded: LoadedModel, options: argparse.Namespace) -> torch.Tensor:
    ids = loaded.tokenizer(options.text.read_text(), add_special_tokens=False)["input_ids"]
    count = options.windows * options.length
    if len(ids) < count:
        raise SystemExit(f"{options.text} has {len(ids)} tokens, {count} are asked for.")
    start = (len(ids) - count) // 2
    return torch.tensor(ids[start : start + count]).reshape(options.windows, options.length)


if __name__ == "__main__":
    main()
