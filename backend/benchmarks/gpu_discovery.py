"""Discovery into PostgreSQL at the size of GPT-2 small: ``python -m benchmarks.gpu_discovery``.

The model has random weights and the shape of GPT-2 small, the dictionary a short training behind
it: what takes time depends on shapes and on how often latents fire, not on what they mean. The
text is the source of the installed packages, under a tokenizer of 50,257 tokens made from it.
Every phase is printed as it ends. ``--width 64`` makes a rehearsal without a GPU whose features,
contexts and rows are as many; ``--tokens`` and ``--latents`` make a small one.
"""

from __future__ import annotations

import argparse
import resource
import sysconfig
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from app.db.session import session_scope
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
from app.ml.errors import Stopped
from app.ml.feature_discovery import DiscoveryResult, discover_features
from app.ml.language_models import LoadedModel, load_language_model
from app.ml.records import Progress, to_json
from app.ml.sae_training import train
from app.services.feature_records import EncodeContext, replace_features
from benchmarks.database import make_training
from benchmarks.discovery import HOOK, ignore, never
from benchmarks.gpu import GPT2_LAYER, WINDOW, K
from benchmarks.servers import fresh_servers
from benchmarks.timing import print_machine

HEAD_WIDTH = 64
CHARACTERS_PER_TOKEN = 4
TOKENIZER_CHARACTERS = 16_000_000
END_OF_TEXT = "<|endoftext|>"
HEARTBEAT_SECONDS = 10.0


class Clock:
    """Prints what every phase took as it ends, and where a long one is."""

    def __init__(self, limit: float | None) -> None:
        self.began = time.perf_counter()
        self._limit = limit
        self._phase, self._phase_began = "", (0.0, 0.0)
        self._shown = 0.0

    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def is_over(self) -> bool:
        return self._limit is not None and self.seconds() > self._limit

    def begin(self, phase: str) -> None:
        """End the phase before and print it."""
        self.end()
        self._phase, self._phase_began = phase, (time.perf_counter(), time.process_time())
        self._shown = time.perf_counter()

    def end(self) -> None:
        if self._phase:
            began, processor = self._phase_began
            taken = time.perf_counter() - began
            used = time.process_time() - processor
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
            print(
                f"{self._phase:<34}{taken:>8.1f} s{used:>8.1f} s of this process"
                f"{self.seconds():>8.1f} s since the start{peak:>7.2f} GB at most",
                flush=True,
            )
        self._phase = ""

    def show(self, done: float, total: float) -> None:
        if time.perf_counter() - self._shown > HEARTBEAT_SECONDS:
            self._shown = time.perf_counter()
            print(f"  {self._phase}: {done:,} of {total:,}", flush=True)

    def report(self, progress: Progress) -> None:
        """Take a discovery's reports: its messages name its phases."""
        if progress.message != self._phase:
            self.begin(progress.message)
        self.show(progress.done, progress.total)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self.begin(name)
        yield
        self.end()


def read_texts(n_tokens: int) -> list[str]:
    """Sources of the installed packages, a mixture of all of them."""
    root = Path(sysconfig.get_path("purelib"))
    found = sorted(root.rglob("*.py"), key=lambda p: zlib.crc32(str(p.relative_to(root)).encode()))
    texts, characters = [], 0
    for path in found:
        texts.append(path.read_text(encoding="utf-8", errors="ignore"))
        characters += len(texts[-1])
        if characters > 1.5 * CHARACTERS_PER_TOKEN * n_tokens:
            break
    return texts


def write_model(folder: Path, texts: list[str], options: argparse.Namespace) -> None:
    """A GPT-2 with random weights and a tokenizer made of the texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    config = GPT2Config(
        n_embd=options.width, n_head=max(options.width // HEAD_WIDTH, 1), bos_token_id=0,
        eos_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).bfloat16().save_pretrained(folder)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size, show_progress=False, special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator("\n".join(texts)[:TOKENIZER_CHARACTERS].split("\n"), trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT
    ).save_pretrained(folder)


def prepare(
    options: argparse.Namespace, folder: Path, clock: Clock
) -> tuple[LoadedModel, TokenStore, ActivationStore, Path]:
    """Make a model, its tokens, their activations and a dictionary."""
    with clock.phase("reading texts"):
        texts = read_texts(options.tokens)
    with clock.phase("tokenizer and model"):
        write_model(folder / "model", texts, options)
        loaded = load_language_model(folder / "model", device=options.device)
    with clock.phase("tokens"):
        wanted = TokenizationConfig(max_length=WINDOW, max_tokens=options.tokens)
        tokenize_documents(texts, folder / "model", folder / "tokens", wanted, ignore, never)
        tokens = TokenStore.open(folder / "tokens")
    with clock.phase("extraction"):
        config = ExtractionConfig(layers=(GPT2_LAYER,), batch_size=options.batch, norm_limit=None)
        extract_activations(loaded, tokens, folder / "store", config, ignore, never)
        store = ActivationStore.open(folder / "store")
    with clock.phase("training the dictionary"):
        settings = TrainingHyperparameters(
            d_sae=options.latents, k=K, batch_size=4096, training_steps=options.steps,
            checkpoint_every=0,
        )  # fmt: skip
        outcome = train(
            store, GPT2_LAYER, HOOK, "sparse", settings, folder / "sae", report=ignore,
            should_stop=lambda: None, on_checkpoint=ignore, device=options.device,
        )  # fmt: skip
    return loaded, tokens, store, outcome.checkpoint.path


def store_features(found: DiscoveryResult, clock: Clock) -> int:
    """Load what was found as the job does; returns the number of contexts."""
    training_id = make_training()

    def contexts(encode: EncodeContext) -> Iterator[bytes]:
        clock.begin("storing contexts")
        for index, rows in enumerate(found.encoded_contexts(encode)):
            if clock.is_over():
                raise Stopped("The limit of time was reached.")
            clock.show(index, len(found.features))
            yield rows
        clock.begin("statistics and commit")

    with session_scope() as session:
        clock.begin("storing features and words")
        n_contexts = replace_features(
            session,
            training_id,
            records=(to_json(record) for record in found.features),
            layer=GPT2_LAYER,
            discovery={"n_tokens": found.summary.n_tokens, "checkpoint_step": 1},
            words=((record.index, word) for record in found.features for word in record.words()),
            contexts=contexts,
        )
    clock.end()
    return n_contexts


def measure(options: argparse.Namespace, folder: Path, clock: Clock) -> None:
    loaded, tokens, store, sae_path = prepare(options, folder, clock)
    began = clock.seconds()
    config = DiscoveryConfig(layout=options.layout, coherence_features=options.coherence)
    print(f"\ndiscovery of {options.latents:,} features on {store.n_rows:,} tokens", flush=True)
    with discover_features(
        sae_path, store, tokens, loaded, GPT2_LAYER, HOOK, config, clock.report, clock.is_over
    ) as found:
        n_contexts = store_features(found, clock)
    alive = sum(record.n_fires > 0 for record in found.features)
    print(
        f"{'discovery with the database':<34}{clock.seconds() - began:>8.1f} s\n"
        f"{options.latents:,} features ({alive:,} fire), {store.n_rows:,} tokens, "
        f"{n_contexts:,} contexts, width {options.width}, on {options.device}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tokens", type=int, default=3_000_000)
    parser.add_argument("--latents", type=int, default=24_576)
    parser.add_argument("--width", type=int, default=768, help="of the model")
    parser.add_argument("--steps", type=int, default=100, help="of training the dictionary")
    parser.add_argument("--batch", type=int, default=256, help="windows at once")
    parser.add_argument("--layout", default=DiscoveryConfig().layout)
    parser.add_argument("--coherence", type=int, default=DiscoveryConfig().coherence_features)
    parser.add_argument("--limit", type=float, help="seconds after which it stops by itself")
    options = parser.parse_args()
    print_machine()
    clock = Clock(options.limit)
    clock.begin("starting the database")
    with fresh_servers(), tempfile.TemporaryDirectory(prefix="benchmark-discovery-") as name:
        try:
            measure(options, Path(name), clock)
        except Stopped:
            clock.end()
            print(f"stopped after {clock.seconds():.1f} s: what stands above is done", flush=True)


if __name__ == "__main__":
    main()
