"""Discovery into PostgreSQL at the size of GPT-2 small: ``python -m benchmarks.gpu_discovery``.

The model has random weights and the shape of GPT-2 small, the dictionary a short training behind
it: what takes time depends on shapes and on how often latents fire, not on what they mean.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import torch

from app.db.session import session_scope
from app.ml.activation_extraction import ActivationStore, TokenStore, extract_activations
from app.ml.configs import DiscoveryConfig, ExtractionConfig, TrainingHyperparameters
from app.ml.feature_discovery import DiscoveryResult, discover_features
from app.ml.language_models import LoadedModel, load_language_model
from app.ml.records import to_json
from app.ml.sae_training import train
from app.services.feature_records import replace_features
from benchmarks.database import make_training
from benchmarks.discovery import HOOK, Phases, ignore, never, seconds_of
from benchmarks.gpu import GPT2_LAYER, K, write_gpt2, write_tokens
from benchmarks.servers import fresh_servers
from benchmarks.timing import print_machine


def prepare(
    options: argparse.Namespace, folder: Path
) -> tuple[LoadedModel, TokenStore, ActivationStore, Path]:
    """Make a model, its tokens, their activations and a dictionary."""
    write_gpt2(folder / "model")
    loaded = load_language_model(folder / "model", device=options.device)
    tokens = write_tokens(folder / "tokens", folder / "model", options.tokens)
    config = ExtractionConfig(layers=(GPT2_LAYER,), batch_size=options.batch, norm_limit=None)
    seconds = seconds_of(
        lambda: extract_activations(loaded, tokens, folder / "store", config, ignore, never)
    )
    print(f"{'extraction':<34}{seconds:>8.1f} s", flush=True)
    store = ActivationStore.open(folder / "store")
    settings = TrainingHyperparameters(
        d_sae=options.latents, k=K, batch_size=4096, training_steps=options.steps,
        checkpoint_every=0,
    )  # fmt: skip
    began = time.perf_counter()
    outcome = train(
        store, GPT2_LAYER, HOOK, "sparse", settings, folder / "sae", report=ignore,
        should_stop=lambda: None, on_checkpoint=ignore, device=options.device,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    print(f"{'training the dictionary':<34}{seconds:>8.1f} s", flush=True)
    return loaded, tokens, store, outcome.checkpoint.path


def store_features(found: DiscoveryResult) -> int:
    """Load what was found as the job does; returns the number of contexts."""
    training_id = make_training()
    with session_scope() as session:
        return replace_features(
            session,
            training_id,
            records=(to_json(record) for record in found.features),
            layer=GPT2_LAYER,
            discovery={"n_tokens": found.summary.n_tokens, "checkpoint_step": 1},
            words=((record.index, word) for record in found.features for word in record.words()),
            contexts=((i, c) for i in range(len(found.features)) for c in found.contexts(i)),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tokens", type=int, default=3_000_000)
    parser.add_argument("--latents", type=int, default=24_576)
    parser.add_argument("--steps", type=int, default=100, help="of training the dictionary")
    parser.add_argument("--batch", type=int, default=256, help="windows at once")
    parser.add_argument("--layout", default=DiscoveryConfig().layout)
    options = parser.parse_args()
    print_machine()
    with fresh_servers(), tempfile.TemporaryDirectory(prefix="benchmark-discovery-") as name:
        loaded, tokens, store, sae_path = prepare(options, Path(name))
        phases, began = Phases(), time.perf_counter()
        with discover_features(
            sae_path, store, tokens, loaded, GPT2_LAYER, HOOK,
            DiscoveryConfig(layout=options.layout), phases, never,
        ) as found:  # fmt: skip
            described = time.perf_counter() - began
            print(f"{'read and described':<34}{described:>8.1f} s", flush=True)
            n_contexts = store_features(found)
        whole = time.perf_counter() - began
        alive = sum(record.n_fires > 0 for record in found.features)
    print(
        f"\n{options.latents:,} features ({alive:,} fire), {store.n_rows:,} tokens, "
        f"{n_contexts:,} contexts, on {options.device}\n"
        f"{'reading':<34}{phases.read:>8.1f} s\n"
        f"{'describing':<34}{described - phases.read:>8.1f} s\n"
        f"{'loading into PostgreSQL':<34}{whole - described:>8.1f} s\n"
        f"{'discovery':<34}{whole:>8.1f} s"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"peak memory of this process: {peak:.2f} GB")


if __name__ == "__main__":
    main()
