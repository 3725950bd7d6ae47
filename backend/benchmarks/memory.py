"""Peak resident memory of trainings: ``python -m benchmarks.memory``.

Each case is a process of its own that trains from a memory-mapped store of random activations
for a few steps; the second store is larger than what its process may hold. With
``--demo STORE TOKENS MODEL`` (folders of a real extraction) the first case is the demo's whole
job: training, then the held-out figures with the model loaded.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from app.ml.activation_extraction import ActivationStore, TokenStore
from app.ml.activation_extraction.activation_store import FORMAT, INDEX_DTYPE
from app.ml.activation_extraction.npy_files import NpyWriter
from app.ml.configs import TrainingHyperparameters
from app.ml.files import write_json
from app.ml.language_models import load_language_model
from app.ml.sae_training import evaluate_sae, train
from benchmarks.timing import print_machine

CASES: dict[str, dict[str, Any]] = {
    "demo": {"d": 576, "expansion": 4, "rows": 80_000, "limit": 2.0},
    "gpt2-small": {"d": 768, "expansion": 8, "rows": 2_400_000, "limit": 3.0},
}
BATCH, SHARD_ROWS, DISTINCT_ROWS = 2048, 65_536, 8192


def write_store(folder: Path, d_model: int, n_rows: int) -> None:
    """Write a store of random bfloat16 rows; values repeat, pages do not."""
    random = np.random.default_rng(0)
    values = random.standard_normal((DISTINCT_ROWS, d_model), dtype=np.float32)
    bits = (values.view(np.uint32) >> 16).astype(np.uint16)
    (folder / "L0_residual").mkdir(parents=True)
    sizes = [min(SHARD_ROWS, n_rows - start) for start in range(0, n_rows, SHARD_ROWS)]
    for number, size in enumerate(sizes):
        path = folder / "L0_residual" / f"shard_{number:05d}.npy"
        with NpyWriter(path, (d_model,), np.uint16) as writer:
            for start in range(0, size, DISTINCT_ROWS):
                writer.append(bits[: size - start])
    with NpyWriter(folder / "indices.npy", (), INDEX_DTYPE) as index:
        index.append(np.zeros(n_rows, dtype=INDEX_DTYPE))
    metadata = {
        "format": FORMAT, "shard_rows": sizes, "files": [], "n_tokens": n_rows,
        "config": {"layers": [0], "hook_types": ["residual"], "dtype": "bfloat16"},
        "hooks": [{"layer": 0, "hook_type": "residual", "d_model": d_model}],
        "n_train_tokens": n_rows - n_rows // 10,
    }  # fmt: skip
    write_json(folder / "metadata.json", metadata)


def run_case(options: argparse.Namespace) -> None:
    """Train, and print what this process held at most."""
    case = CASES[options.case]
    store = ActivationStore.open(options.store)
    settings = TrainingHyperparameters(
        expansion_factor=case["expansion"], k=32, batch_size=BATCH, log_every=1,
        training_steps=options.steps, checkpoint_every=0,
    )  # fmt: skip
    began = time.perf_counter()
    layer = store.layers[0]
    with tempfile.TemporaryDirectory() as folder:
        outcome = train(
            store, layer, "residual", "sparse", settings, Path(folder),
            report=lambda _: None, should_stop=lambda: None, on_checkpoint=lambda _: None,
        )  # fmt: skip
        trained = _peak_gb()
        if options.model is not None:
            loaded = load_language_model(options.model)
            evaluate_sae(
                outcome.checkpoint.path, store, loaded, TokenStore.open(options.tokens), layer,
                "residual", lambda _: None, lambda: False, max_ce_windows=4,
            )  # fmt: skip
    store_gb = sum(f.stat().st_size for f in options.store.rglob("*.npy")) / 1e9
    print(
        f"{options.case:<12}{store_gb:>9.2f}{options.steps:>7}{trained:>11.2f}"
        f"{_peak_gb():>11.2f}{case['limit']:>8.1f}{time.perf_counter() - began:>8.0f}"
    )


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--only", choices=sorted(CASES))
    parser.add_argument("--demo", nargs=3, type=Path, metavar=("STORE", "TOKENS", "MODEL"))
    parser.add_argument("--case", choices=sorted(CASES), help=argparse.SUPPRESS)
    for name in ("--store", "--tokens", "--model"):
        parser.add_argument(name, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case is not None:
        run_case(options)
        return
    print_machine()
    print(f"{'case':<12}{'store GB':>9}{'steps':>7}{'trained GB':>11}{'in all GB':>11}"
          f"{'limit':>8}{'s':>8}", flush=True)  # fmt: skip
    for name in [options.only] if options.only else CASES:
        with tempfile.TemporaryDirectory(prefix="benchmark-store-") as folder:
            store = Path(folder) / "store"
            extra: list[str | Path] = []
            if name == "demo" and options.demo:
                store, tokens, model = options.demo
                extra = ["--tokens", tokens, "--model", model]
            else:
                write_store(store, CASES[name]["d"], CASES[name]["rows"])
            command = [sys.executable, "-m", "benchmarks.memory", "--case", name, *extra]
            steps = ["--steps", str(options.steps)]
            subprocess.run([*command, *steps, "--store", store], check=True)


if __name__ == "__main__":
    main()
