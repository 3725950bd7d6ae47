"""One streaming pass over stored activations that serves all features at once."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.devices import coded_memory_errors, pick_dtype
from app.ml.errors import Stopped
from app.ml.feature_discovery.contexts import ContextReader
from app.ml.feature_discovery.firing_log import FiringLog
from app.ml.feature_discovery.labels import make_label, token_evidence
from app.ml.feature_discovery.logit_lens import LogitEffects, logit_effects
from app.ml.feature_discovery.reading import choose_rows, token_texts
from app.ml.feature_discovery.statistics import FeatureCounters
from app.ml.feature_discovery.top_contexts import ChosenContexts, TopContexts, choose_distinct
from app.ml.language_models.loading import LoadedModel
from app.ml.records import (
    DiscoverySummary,
    ExampleRecord,
    FeatureRecord,
    LogitEffect,
    Progress,
    Report,
    ShouldStop,
)
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder, load_sae

CANDIDATES_PER_EXAMPLE = 3
"""Windows kept per example wanted, so that copies and same documents can give way."""
DENSE_SHARE = 0.1
MERGE_ROWS = 32_768
NO_LENS_HOOKS = ("mlp_input",)


@dataclass
class DiscoveryResult:
    """Features of a dictionary; examples are built when asked for.

    Close it (or use it as a context manager) to delete the temporary file behind the examples.
    """

    features: list[FeatureRecord]
    summary: DiscoverySummary
    _chosen: list[ChosenContexts]
    _reader: ContextReader
    _folder: Path = field(repr=False)

    def examples(self, index: int) -> list[ExampleRecord]:
        """Return the strongest contexts of one feature, strongest first."""
        chosen = self._chosen[index]
        return self._reader.examples(index, chosen.rows, chosen.values)

    def all_examples(self) -> Iterator[ExampleRecord]:
        """Yield the examples of all features in order, for a bulk load."""
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
) -> DiscoveryResult:
    """Describe every latent: statistics, strongest contexts, token evidence, logit lens.

    The language model is not run again; its unembedding gives the logit lens. Training and
    held-out tokens are both read, each example says which it is from.

    Args:
        sae_path: Checkpoint folder.
        store: Extraction that holds the dictionary's place.
        tokens: The store's tokens.
        loaded: For the logit lens and for token texts; None leaves the logit lens out and then
            tokens are shown by number.
        layer: Block of the dictionary.
        hook_type: Place in that block.
        config: Limits, context widths, precision.
        report: Gets progress in tokens.
        should_stop: Asked between batches.
        scratch_dir: Where the temporary file goes (8 bytes per firing); the system's by default.

    Raises:
        CheckpointInvalid, StoreInvalid, InvalidActivations: unusable or unfitting input.
        Stopped: ``should_stop`` said so; nothing is left behind.
    """
    began = time.monotonic()
    if scratch_dir is not None:
        scratch_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="discovery-", dir=scratch_dir))
    try:
        with torch.no_grad(), coded_memory_errors("discovering features"):
            run = _Pass(sae_path, store, tokens, (layer, hook_type), config, folder)
            run.stream(report, should_stop)
            return run.describe(loaded, report, should_stop, began)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


class _Pass:
    def __init__(
        self,
        sae_path: Path,
        store: ActivationStore,
        tokens: TokenStore,
        place: tuple[int, str],
        config: DiscoveryConfig,
        folder: Path,
    ) -> None:
        self.sae: SparseAutoencoder = load_sae(sae_path)
        self.store, self.tokens, self.config, self.folder = store, tokens, config, folder
        self.hook_type = place[1]
        self.rows = store.rows(*place)
        self.dtype = pick_dtype(config.precision, torch.device("cpu"))
        self.read_rows = choose_rows(store, config.max_tokens)
        self.counters = FeatureCounters(self.sae.d_sae)
        keep = config.examples_per_feature * CANDIDATES_PER_EXAMPLE
        self.top = TopContexts(self.sae.d_sae, keep)
        self.log = FiringLog(folder)

    def stream(self, report: Report, should_stop: ShouldStop) -> None:
        began, n = time.monotonic(), len(self.read_rows)
        waiting: list[tuple[Any, ...]] = []
        waiting_rows = 0
        for start in range(0, n, self.config.batch_size):
            if should_stop():
                raise Stopped("Feature discovery was stopped.")
            numbers = self.read_rows[start : start + self.config.batch_size]
            waiting.append(self._read(numbers))
            waiting_rows += len(numbers)
            if waiting_rows >= MERGE_ROWS:
                self._merge(waiting)
                waiting, waiting_rows = [], 0
            done = start + len(numbers)
            rate = done / max(time.monotonic() - began, 1e-9)
            report(Progress(done, n, "tokens", "Reading activations", rate))
        if waiting:
            self._merge(waiting)

    def _read(self, numbers: npt.NDArray[np.int64]) -> tuple[Any, ...]:
        active = self.sae.encode_active(self.rows.gather(numbers), self.dtype)
        self.counters.add(len(numbers), active.latents, active.values)
        counts = torch.bincount(active.rows, minlength=len(numbers)).numpy()
        latents, values = active.latents.numpy(), active.values.numpy()
        self.log.add(counts, latents, values)
        rows = numbers[active.rows.numpy()]
        return latents, values, rows, self.store.indices["window"][rows]

    def _merge(self, waiting: list[tuple[Any, ...]]) -> None:
        self.top.add(*(np.concatenate(column) for column in zip(*waiting, strict=True)))

    def describe(
        self,
        loaded: LoadedModel | None,
        report: Report,
        should_stop: ShouldStop,
        began: float,
    ) -> DiscoveryResult:
        n_features = self.sae.d_sae
        report(Progress(0, n_features, "features", "Reading the logit lens"))
        effects = None
        if loaded is not None and self.hook_type not in NO_LENS_HOOKS:
            effects = logit_effects(loaded, self.sae.W_dec_FD, self.config.logit_lens_tokens)
        text_of, decode = token_texts(loaded)
        reader = ContextReader(
            self.store, self.tokens, self.log.finish(), self.config, text_of, decode,
            self.read_rows,
        )  # fmt: skip
        features, chosen = [], []
        bounds = np.searchsorted(self.top.kept["latent"], np.arange(n_features + 1))
        for index in range(n_features):
            if index % 256 == 0:
                if should_stop():
                    raise Stopped("Feature discovery was stopped.")
                report(Progress(index, n_features, "features", "Describing features"))
            candidates = self.top.kept[bounds[index] : bounds[index + 1]]
            contexts = self._choose(reader, candidates)
            chosen.append(contexts)
            features.append(self._feature(index, candidates, contexts, effects, text_of))
        report(Progress(n_features, n_features, "features", "Describing features"))
        summary = self._summary(features, time.monotonic() - began)
        return DiscoveryResult(features, summary, chosen, reader, self.folder)

    def _choose(self, reader: ContextReader, candidates: npt.NDArray[Any]) -> ChosenContexts:
        rows = candidates["row"].astype(np.int64)
        documents = self.tokens.documents_at(self.store.indices["token"][rows].astype(np.int64))
        return choose_distinct(
            rows,
            candidates["value"],
            documents,
            reader.texts(rows),
            self.config.examples_per_feature,
        )

    def _feature(
        self,
        index: int,
        candidates: npt.NDArray[Any],
        contexts: ChosenContexts,
        effects: LogitEffects | None,
        text_of: Any,
    ) -> FeatureRecord:
        counters = self.counters
        fires = int(counters.fires_F[index])
        peaks = self.tokens.tokens[self.store.indices["token"][contexts.rows]].astype(np.int64)
        evidence = token_evidence(peaks, contexts.values, text_of)
        lens = None if effects is None else _lens(effects, index, text_of)
        return FeatureRecord(
            index=index,
            activation_frequency=fires / max(counters.n_tokens, 1),
            n_fires=fires,
            mean_activation=counters.sum_F[index].item() / max(fires, 1),
            max_activation=counters.max_F[index].item(),
            quantiles=counters.quantiles(index),
            histogram=counters.histogram(index),
            label=make_label(evidence, len(contexts.rows)),
            top_tokens=evidence,
            logit_lens=lens,
            n_examples=len(contexts.rows),
        )

    def _summary(self, features: list[FeatureRecord], seconds: float) -> DiscoverySummary:
        counters = self.counters
        alive = int((counters.fires_F > 0).sum())
        return DiscoverySummary(
            n_features=len(features),
            n_alive=alive,
            n_dead=len(features) - alive,
            n_dense=sum(f.activation_frequency > DENSE_SHARE for f in features),
            n_labelled=sum(bool(f.label) for f in features),
            n_tokens=counters.n_tokens,
            mean_l0=counters.fires_F.sum().item() / max(counters.n_tokens, 1),
            seconds=seconds,
            tokens_per_second=counters.n_tokens / max(seconds, 1e-9),
        )


def _lens(effects: LogitEffects, index: int, text_of: Any) -> dict[str, list[LogitEffect]]:
    def entries(ids: npt.NDArray[Any], logits: npt.NDArray[Any]) -> list[LogitEffect]:
        pairs = zip(ids[index].tolist(), logits[index].tolist(), strict=True)
        return [LogitEffect(text_of(i), i, value) for i, value in pairs]

    return {
        "top": entries(effects.top_ids, effects.top_logits),
        "bottom": entries(effects.bottom_ids, effects.bottom_logits),
    }
