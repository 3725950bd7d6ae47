"""A GPU's figures: ``python -m benchmarks.gpu``; says so and ends where there is none.

The step of a TopK dictionary against plain PyTorch and against what the device can do at best, its
parts, a whole training from a store, and extraction and training together from a language model
of GPT-2 small's shape.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from app.ml.activation_extraction import (
    ActivationStore,
    TokenStore,
    extract_activations,
    tokenize_documents,
)
from app.ml.activation_extraction.npy_files import NpyWriter
from app.ml.configs import ExtractionConfig, TokenizationConfig, TrainingHyperparameters
from app.ml.files import read_json, write_json
from app.ml.language_models import (
    LoadedModel,
    capture,
    load_language_model,
    resolve_hook_point,
)
from app.ml.records import StepMetrics
from app.ml.sae_training import active_latents, row_lists, selection, train
from app.ml.sae_training.active_latents import SparseLatents
from app.ml.sae_training.architecture import architecture_of
from app.ml.sae_training.dead_latents import DeadLatents
from app.ml.sae_training.objectives.base import Batch
from app.ml.sae_training.optimisers import build_optimiser
from app.ml.sae_training.registry import build_objective
from app.ml.sae_training.streaming import ModelStream
from app.ml.sae_training.weights import Weights
from benchmarks.memory import write_store

D_MODEL, N_LATENTS, K = 768, 24_576, 32
TOKENIZER = Path(__file__).parent.parent / "tests" / "data" / "glass-en"
GPT2_LAYER, WINDOW = 8, 256


def seconds_of(call: Callable[[], object], repeats: int = 20) -> float:
    """Median seconds of a call, by the device's own clock, after five calls to warm up."""
    for _ in range(5):
        call()
    times = []
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return statistics.median(times)


def busy_seconds_of(call: Callable[[], object], repeats: int = 30) -> float:
    """Seconds per call of many calls in a row, so that launches may run ahead."""
    for _ in range(5):
        call()
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(repeats):
        call()
    torch.cuda.synchronize()
    return (time.perf_counter() - began) / repeats


def launch_seconds_of(call: Callable[[], object], repeats: int = 5) -> float:
    """Seconds that the processor needs to order one call, while the device is kept waiting."""
    torch.cuda.synchronize()
    torch.cuda._sleep(10**9)
    began = time.perf_counter()
    for _ in range(repeats):
        call()
    seconds = (time.perf_counter() - began) / repeats
    torch.cuda.synchronize()
    return seconds


def measure_ceilings() -> tuple[float, float]:
    """Bytes per second of a copy (read plus written), FLOP per second of a bfloat16 product."""
    big = torch.empty(2**32, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(big)
    bandwidth = 2 * big.numel() / seconds_of(lambda: target.copy_(big))
    left, right = (torch.randn(8192, 8192, device="cuda").bfloat16() for _ in range(2))
    return bandwidth, 2 * 8192**3 / seconds_of(lambda: left @ right)


class Step:
    """The product's own step on one random batch, as ``TrainingRun`` does it."""

    def __init__(self, batch_size: int) -> None:
        self.settings = TrainingHyperparameters(d_sae=N_LATENTS, k=K, batch_size=batch_size)
        torch.manual_seed(0)
        self.weights = Weights(architecture_of("sparse", self.settings, D_MODEL, D_MODEL))
        self.weights.to("cuda")
        self.weights.W_dec_FD.copy_(torch.randn_like(self.weights.W_dec_FD))
        self.weights.normalise_decoder()
        self.weights.W_enc_FD.copy_(self.weights.W_dec_FD)
        self.optimiser = build_optimiser(self.weights, self.settings)
        self.objective = build_objective(self.weights.architecture, self.settings, torch.bfloat16)
        self.x_BD = torch.randn(batch_size, D_MODEL, device="cuda")
        self.counters_F = torch.zeros(N_LATENTS, dtype=torch.int64, device="cuda")
        self.dead = DeadLatents(10**9, batch_size)
        self.number = 0

    @torch.no_grad()
    def __call__(self) -> None:
        dead = self.dead.find(self.counters_F, self.number)
        losses = self.objective.step(self.weights, Batch(self.x_BD, self.x_BD), dead, 1.0)
        self.weights.project_decoder_gradient()
        torch.nn.utils.clip_grad_norm_(list(self.weights.parameters()), 1.0)
        self.optimiser.step()
        self.weights.constrain()
        self.counters_F += len(self.x_BD)
        self.counters_F.masked_fill_(losses.fired_F, 0)
        self.number += 1


def plain_step(batch_size: int) -> Callable[[], object]:
    """Dense latents, autograd, autocast, fused Adam: what one writes first."""
    torch.manual_seed(0)
    encoder = torch.nn.Linear(D_MODEL, N_LATENTS, device="cuda")
    decoder = torch.nn.Linear(N_LATENTS, D_MODEL, device="cuda")
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=1e-6, fused=True)
    x_BD = torch.randn(batch_size, D_MODEL, device="cuda")

    def step() -> object:
        with torch.autocast("cuda", torch.bfloat16):
            pre_BF = encoder(x_BD - decoder.bias)
            kept = pre_BF.topk(K, dim=-1)
            latents_BF = torch.zeros_like(pre_BF).scatter(-1, kept.indices, kept.values.relu())
            output_BD = decoder(latents_BF)
        loss = (output_BD.float() - x_BD).square().mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        return loss

    return step


def show_steps(batch_size: int, bandwidth: float, flops: float) -> None:
    """Print tokens per second of the versions and of the floor."""
    product = 2 * batch_size * D_MODEL * N_LATENTS / flops
    selection_bytes = 2 * 2 * batch_size * N_LATENTS
    # Parameters, both moments and gradients in float32 once each way, and a 16-bit copy.
    optimiser_bytes = 2 * D_MODEL * N_LATENTS * 36
    floor = product + (selection_bytes + optimiser_bytes) / bandwidth
    step = Step(batch_size)
    own, launch = busy_seconds_of(step), launch_seconds_of(step)
    without = [patch.object(m, "has_kernels", lambda _: False)
               for m in (active_latents, row_lists, selection)]  # fmt: skip
    for one in without:
        one.start()
    library = busy_seconds_of(Step(batch_size))
    for one in without:
        one.stop()
    plain = busy_seconds_of(plain_step(batch_size), 10)
    print(f"\nStep, batch {batch_size}: width {D_MODEL}, {N_LATENTS} latents, TopK {K}, bfloat16")
    versions = {"plain, dense, autocast": plain, "own, PyTorch only": library, "own": own}
    for name, seconds in {**versions, "floor": floor}.items():
        rate = batch_size / seconds
        print(f"  {name:<26}{seconds * 1e3:>8.2f} ms{rate:>14,.0f} tokens/s{floor / seconds:>7.0%}")
    print(f"  ordering an own step takes the processor {launch * 1e3:.2f} ms")
    torch.cuda.empty_cache()


@torch.no_grad()
def show_parts(batch_size: int) -> None:
    """Print what each part of a step takes alone."""
    step = Step(batch_size)
    weights, objective, x_BD = step.weights, step.objective, step.x_BD
    step()
    pre_BF = objective.encode(weights, weights.centred(x_BD), weights.b_enc_F)
    values_BK, indices_BK = selection.largest_per_row(pre_BF, K)
    values = torch.relu(values_BK.reshape(-1).float())

    def fresh() -> SparseLatents:
        return SparseLatents.of_rows(indices_BK, N_LATENTS, torch.bfloat16)

    active = fresh()
    parameters = list(weights.parameters())
    parts: dict[str, Callable[[], object]] = {
        "encoder product": lambda: objective.encode(weights, x_BD, weights.b_enc_F),
        "choice of k": lambda: selection.largest_per_row(pre_BF, K),
        "torch.topk": lambda: pre_BF.topk(K, dim=1, sorted=False),
        "decode": lambda: active.decode(values, weights.W_dec_FD),
        "gradient of the values": lambda: active.products(x_BD, weights.W_dec_FD),
        "sort by latent": lambda: fresh().by_latent,
        "one weight gradient": lambda: active.transposed(values, x_BD),
        "sum by latent": lambda: active.sum_by_latent(values),
        "projection": weights.project_decoder_gradient,
        "clip": lambda: torch.nn.utils.clip_grad_norm_(parameters, 1.0),
        "Adam": step.optimiser.step,
        "unit decoder": weights.constrain,
        "whole objective": lambda: objective.step(
            weights, Batch(x_BD, x_BD), torch.empty(0, dtype=torch.int64, device="cuda"), 1.0
        ),
        "whole step": step,
    }
    print(f"\nParts, batch {batch_size}, ms (each alone; two weight gradients and sums in a step)")
    for name, part in parts.items():
        print(f"  {name:<26}{seconds_of(part) * 1e3:>8.3f}")


def rate_after_start(points: list[tuple[int, float]]) -> float:
    """Tokens per second between the first point and the last but one (the last one saves)."""
    (first, began), (last, ended) = points[0], points[-2]
    return (last - first) / (ended - began)


def train_timed(
    store: ActivationStore, layer: int, steps: int, batch_size: int, stream: ModelStream | None
) -> tuple[float, float]:
    """Tokens per second in the steady state, and over the whole call."""
    settings = TrainingHyperparameters(
        d_sae=N_LATENTS, k=K, batch_size=batch_size, training_steps=steps, log_every=steps // 10,
        checkpoint_every=0, source="stream" if stream else "store",
    )  # fmt: skip
    points: list[tuple[int, float]] = []

    def report(metrics: StepMetrics) -> None:
        points.append((metrics.tokens_seen, time.perf_counter()))

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        train(
            store, layer, "residual", "sparse", settings, Path(folder), report=report,
            should_stop=lambda: None, on_checkpoint=lambda _: None, device="cuda", stream=stream,
        )  # fmt: skip
    return rate_after_start(points), steps * batch_size / (time.perf_counter() - began)


def show_training(steps: int, batch_size: int) -> None:
    """A training whose rows come from a store on disk."""
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder) / "store", D_MODEL, 1_000_000)
        store = ActivationStore.open(Path(folder) / "store")
        steady, whole = train_timed(store, 0, steps, batch_size, None)
    print(
        f"\nTraining from a store of 900,000 rows, batch {batch_size}, {steps} steps: "
        f"{steady:,.0f} tokens/s, {whole:,.0f} with start and last checkpoint"
    )


def write_gpt2(folder: Path) -> None:
    """A model of GPT-2 small's shape with random weights; the tokenizer is a small one."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    shutil.copytree(TOKENIZER, folder, ignore=shutil.ignore_patterns("*.safetensors", "config*"))
    (folder / "generation_config.json").unlink(missing_ok=True)
    GPT2LMHeadModel(GPT2Config()).bfloat16().save_pretrained(folder)


def write_tokens(folder: Path, model: Path, n_tokens: int) -> TokenStore:
    """Tokenise a little text and repeat it, so that the corpus is as long as wanted."""
    text = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
    config = TokenizationConfig(max_length=WINDOW, heldout_percent=0)
    documents = [f"{number} {text}" for number in range(40)]
    tokenize_documents(documents, model, folder, config, lambda _: None, lambda: False)
    small = TokenStore.open(folder)
    repeats = -(-n_tokens // small.n_tokens)
    tokens = np.tile(np.asarray(small.tokens), repeats)
    for name in ("tokens.npy", "doc_offsets.npy", "doc_numbers.npy"):
        (folder / name).unlink()
    with NpyWriter(folder / "tokens.npy", (), np.int32) as writer:
        writer.append(tokens)
    with NpyWriter(folder / "doc_offsets.npy", (), np.int64) as writer:
        writer.append(np.array([0, len(tokens)], dtype=np.int64))
    with NpyWriter(folder / "doc_numbers.npy", (), np.int64) as writer:
        writer.append(np.zeros(1, dtype=np.int64))
    metadata = read_json(folder / "metadata.json")
    counts = {"n_tokens": len(tokens), "n_train_tokens": len(tokens), "n_documents": 1}
    write_json(folder / "metadata.json", {**metadata, **counts, "n_heldout_documents": 0})
    return TokenStore.open(folder)


def show_end_to_end(steps: int, batch_size: int) -> None:
    """Extraction alone, and a training that reads the model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_gpt2(folder / "model")
        loaded = load_language_model(folder / "model", device="cuda", dtype="bfloat16")
        few = write_tokens(folder / "few", folder / "model", 1_000_000)
        many = write_tokens(folder / "many", folder / "model", steps * batch_size + 4_000_000)
        config = ExtractionConfig(
            layers=(GPT2_LAYER,), hook_types=("residual",), batch_size=256, dtype="bfloat16",
            norm_limit=None,
        )  # fmt: skip
        began = time.perf_counter()
        extract_activations(
            loaded, few, folder / "activations", config, lambda _: None, lambda: False
        )
        stored = few.n_tokens / (time.perf_counter() - began)
        ids_BS = torch.from_numpy(many.read_windows(np.arange(256))).cuda()
        bare = ids_BS.numel() / busy_seconds_of(_forward(loaded, ids_BS), 5)
        store = ActivationStore.open(folder / "activations")
        steady, whole = train_timed(store, GPT2_LAYER, steps, batch_size, ModelStream(loaded, many))
    print(
        f"\nGPT-2 small's shape to layer {GPT2_LAYER}, windows of {WINDOW}, bfloat16:\n"
        f"  bare forward pass to the layer {bare:,.0f} tokens/s\n"
        f"  extraction into a store, files and checksums included {stored:,.0f} tokens/s\n"
        f"  model and training together, batch {batch_size}, {steps} steps: {steady:,.0f} tokens/s,"
        f" {whole:,.0f} with start and last checkpoint"
    )


def _forward(loaded: LoadedModel, ids_BS: torch.Tensor) -> Callable[[], object]:
    point = resolve_hook_point(loaded.model, GPT2_LAYER, "residual")
    return lambda: capture(loaded, ids_BS, [point])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, nargs="+", default=[8192, 32_768])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--only", choices=["steps", "parts", "training", "end"], nargs="+")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("No CUDA device here: the figures of a GPU were not measured.")
        return
    only = options.only or ["steps", "parts", "training", "end"]
    bandwidth, flops = measure_ceilings()
    print(
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}: a copy moves "
        f"{bandwidth / 1e12:.2f} TB/s, a bfloat16 product runs at {flops / 1e12:.0f} TFLOP/s",
        flush=True,
    )
    for batch_size in options.batches:
        if "steps" in only:
            show_steps(batch_size, bandwidth, flops)
        if "parts" in only:
            show_parts(batch_size)
    if "training" in only:
        show_training(options.steps, options.batches[0])
    if "end" in only:
        show_end_to_end(options.steps, options.batches[0])


if __name__ == "__main__":
    main()
