"""From a trained dictionary to described features."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.devices import coded_memory_errors, pick_dtype
from app.ml.errors import Stopped
from app.ml.feature_discovery.coherence import CONTEXTS, Coherence, measure_coherence
from app.ml.feature_discovery.contexts import ContextReader
from app.ml.feature_discovery.describe import Describer, Findings, find_relations
from app.ml.feature_discovery.forked import map_ranges
from app.ml.feature_discovery.other_contexts import evenly
from app.ml.feature_discovery.reading import token_texts
from app.ml.feature_discovery.streaming import SAVE_SECONDS, DiscoveryPass, prepare_folder
from app.ml.feature_discovery.token_counts import document_halves
from app.ml.feature_discovery.top_contexts import ChosenContexts
from app.ml.files import read_json
from app.ml.language_models.loading import LoadedModel
from app.ml.records import (
    DiscoverySummary,
    ExampleRecord,
    FeatureRecord,
    PackedContext,
    Progress,
    Report,
    ShouldStop,
)
from app.ml.sae_training.sparse_autoencoder import load_sae
from app.ml.sentence_embedding import EMBEDDER, find_sentence_embedder, load_sentence_embedder

DENSE_SHARE = 0.1
FEATURES_AT_ONCE = 64


@dataclass
class DiscoveryResult:
    """Features of a dictionary; examples are built when asked for.

    Close it (or use it as a context manager) to delete the temporary files behind the examples.
    """

    features: list[FeatureRecord]
    summary: DiscoverySummary
    _run: DiscoveryPass
    _chosen: list[ChosenContexts]
    _reader: ContextReader
    _folder: Path = field(repr=False)

    def examples(self, index: int) -> list[ExampleRecord]:
        """Return the strongest contexts of one feature, strongest first."""
        return self._reader.examples(index, self._chosen[index].rows)

    def samples(self, index: int) -> list[ExampleRecord]:
        """Return contexts sampled from every octave of the activation, strongest octave first."""
        rows, octaves = self._run.samples.of(index)
        return self._reader.examples(index, rows, "sample", octaves)

    def near_misses(self, index: int) -> list[ExampleRecord]:
        """Return contexts in which the feature almost fired, the closest first."""
        near = self._run.near.of(index)
        rows = near["row"].astype(np.int64)
        return self._reader.examples(index, rows, "near_miss", margins=near["value"])

    def contexts(self, index: int) -> list[PackedContext]:
        """Return everything of one feature that is to be stored."""
        rows, octaves = self._run.samples.of(index)
        near = self._run.near.of(index)
        read = self._reader.packed
        return [
            *read(index, self._chosen[index].rows),
            *read(index, rows, "sample", octaves),
            *read(index, near["row"].astype(np.int64), "near_miss", margins=near["value"]),
        ]

    def encoded_contexts(self, encode: Callable[[int, PackedContext], bytes]) -> Iterator[bytes]:
        """Yield everything of each feature that is to be stored, in the order of the features.

        Copies of this process share the work where torch has several threads.

        Args:
            encode: Makes a row of a feature's index and one of its ``contexts``.
        """

        def rows(first: int, last: int) -> list[bytes]:
            return [
                b"".join([encode(index, context) for context in self.contexts(index)])
                for index in range(first, last)
            ]

        for part in map_ranges(rows, len(self.features), FEATURES_AT_ONCE):
            yield from part

    def all_examples(self) -> Iterator[ExampleRecord]:
        """Yield the strongest contexts of all features in order."""
        for index in range(len(self.features)):
            yield from self.examples(index)

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> DiscoveryResult:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def discover_features(
    sae_path: Path,
    store: ActivationStore,
    tokens: TokenStore,
    loaded: LoadedModel | None,
    layer: int,
    hook_type: str,
    config: DiscoveryConfig,
    report: Report,
    should_stop: ShouldStop,
    *,
    scratch_dir: Path | None = None,
    resume_key: str | None = None,
    save_seconds: float = SAVE_SECONDS,
) -> DiscoveryResult:
    """Describe every latent: statistics, contexts of all strengths, tokens, partners, lens, map.

    The language model is not run again; its unembedding gives the logit lens. Training and
    held-out tokens are both read, each example says which it is from.

    Args:
        sae_path: Checkpoint folder.
        store: Extraction that holds the place that the dictionary reads.
        tokens: The store's tokens.
        loaded: For the logit lens and for token texts; None leaves the logit lens out and then
            tokens are shown by number. Its device encodes.
        layer: Block of the dictionary.
        hook_type: Place in that block that it reads.
        config: Limits, context widths, precision.
        report: Gets progress in tokens, then in features.
        should_stop: Asked between batches.
        scratch_dir: Where the temporary files go (8 bytes per firing); the system's by default.
        resume_key: Names the temporary folder, so that the same call continues where a stopped
            or killed process saved its state last; see ``discard_discovery``.
        save_seconds: How often the state is saved.

    Raises:
        CheckpointInvalid, StoreInvalid, InvalidActivations: unusable or unfitting input.
        Stopped: ``should_stop`` said so; nothing is left behind without a ``resume_key``.
    """
    began = time.monotonic()
    device = "cpu" if loaded is None else str(loaded.device)
    folder = _folder(scratch_dir, resume_key, [str(sae_path), str(store.path), layer, hook_type,
                                               store.n_rows, config.to_dict()])  # fmt: skip
    try:
        with torch.no_grad(), coded_memory_errors("discovering features"):
            sae = load_sae(sae_path, device)
            place = (layer, hook_type)
            run = DiscoveryPass(sae, store, tokens, place, config, folder, save_seconds)
            run.stream(report, should_stop)
            written = read_json(_metadata(sae_path)).get("target_hook_type", hook_type)
            return _describe(run, loaded, (layer, written), report, should_stop, began)
    except BaseException as error:
        if not (isinstance(error, Stopped) and resume_key is not None):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def discard_discovery(scratch_dir: Path, resume_key: str) -> None:
    """Delete what a stopped discovery kept in order to be continued."""
    shutil.rmtree(scratch_dir / f"discovery-{resume_key}", ignore_errors=True)


def _metadata(sae_path: Path) -> Path:
    folder = sae_path.parent if sae_path.suffix == ".safetensors" else sae_path
    return folder / "metadata.json"


def _folder(scratch_dir: Path | None, resume_key: str | None, facts: list[object]) -> Path:
    if scratch_dir is not None:
        scratch_dir.mkdir(parents=True, exist_ok=True)
    if resume_key is None or scratch_dir is None:
        return Path(tempfile.mkdtemp(prefix="discovery-", dir=scratch_dir))
    folder = scratch_dir / f"discovery-{resume_key}"
    text = json.dumps(facts, sort_keys=True, default=str)
    prepare_folder(folder, hashlib.sha256(text.encode()).hexdigest())
    return folder


def _describe(
    run: DiscoveryPass,
    loaded: LoadedModel | None,
    written: tuple[int, str],
    report: Report,
    should_stop: ShouldStop,
    began: float,
) -> DiscoveryResult:
    n_features = run.sae.d_sae
    report(Progress(0, n_features, "features", "Comparing features"))
    text_of, decode = token_texts(loaded)
    reader = ContextReader(
        run.store, run.tokens, run.log.finish(), run.config, text_of, decode, run.read_rows
    )
    findings = find_relations(run, loaded, written, reader)
    describer = Describer(run, findings, reader, text_of)
    early = _compared(run, describer, should_stop)
    coherence = _coherence(run, reader, early, report, should_stop)

    def describe(first: int, last: int) -> list[tuple[ChosenContexts, FeatureRecord]]:
        found = []
        for index in range(first, last):
            contexts = early.get(index) or describer.choose(index)
            found.append((contexts, describer.record(index, contexts, coherence.get(index))))
        return found

    run.settle()
    features: list[FeatureRecord] = []
    chosen: list[ChosenContexts] = []
    for part in map_ranges(describe, n_features, FEATURES_AT_ONCE):
        if should_stop():
            raise Stopped("Feature discovery was stopped.")
        chosen += [contexts for contexts, _ in part]
        features += [record for _, record in part]
        report(Progress(len(features), n_features, "features", "Describing features"))
    summary = _summary(run, features, findings, time.monotonic() - began)
    return DiscoveryResult(features, summary, run, chosen, reader, run.folder)


def _compared(
    run: DiscoveryPass, describer: Describer, should_stop: ShouldStop
) -> dict[int, ChosenContexts]:
    """Choose contexts of the features that carry most activation, if an embedder is there."""
    if find_sentence_embedder() is None:
        return {}
    most = run.counters.sum_F.argsort(descending=True)[: run.config.coherence_features]
    found = {}
    for index in most.tolist():
        if should_stop():
            raise Stopped("Feature discovery was stopped.")
        found[index] = describer.choose(index)
    return found


def _coherence(
    run: DiscoveryPass,
    reader: ContextReader,
    chosen: dict[int, ChosenContexts],
    report: Report,
    should_stop: ShouldStop,
) -> dict[int, Coherence]:
    """Compare what was chosen of the features that carry most activation."""
    folder = find_sentence_embedder()
    if folder is None or not chosen:
        return {}
    contexts = {index: _of_all_strengths(run, index, found) for index, found in chosen.items()}
    device = run.sae.W_dec_FD.device
    embedder = load_sentence_embedder(folder, pick_dtype(run.config.precision, device), device)
    halves, seed = document_halves(run.tokens.doc_numbers), run.config.seed
    return measure_coherence(reader, halves, contexts, embedder, seed, report, should_stop)


def _of_all_strengths(
    run: DiscoveryPass, index: int, chosen: ChosenContexts
) -> npt.NDArray[np.int64]:
    """Take turns between the strongest contexts and samples of every octave, each context once."""
    samples = run.samples.of(index)[0]
    half = CONTEXTS // 2
    # The strongest come in order of strength and the samples are spread over the octaves.
    strongest = chosen.rows[: max(half, CONTEXTS - len(samples))]
    rows = np.concatenate([strongest, evenly(samples, CONTEXTS - half)])
    return rows[np.sort(np.unique(rows, return_index=True)[1])][:CONTEXTS]


def _summary(
    run: DiscoveryPass, features: list[FeatureRecord], findings: Findings, seconds: float
) -> DiscoverySummary:
    counters = run.counters
    alive = int((counters.fires_F > 0).sum())
    return DiscoverySummary(
        n_features=len(features),
        n_alive=alive,
        n_dead=len(features) - alive,
        n_dense=sum(f.activation_frequency > DENSE_SHARE for f in features),
        n_labelled=sum(bool(f.label) for f in features),
        n_tokens=counters.n_tokens,
        n_co_firing_tokens=findings.co_firing.n_tokens,
        token_counts_exact=findings.table.dropped == 0,
        layout="none" if findings.layout is None else findings.layout.method,
        embedder=None if find_sentence_embedder() is None else EMBEDDER,
        mean_l0=counters.fires_F.sum().item() / max(counters.n_tokens, 1),
        seconds=seconds,
        tokens_per_second=counters.n_tokens / max(seconds, 1e-9),
    )
