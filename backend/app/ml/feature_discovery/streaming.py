"""The one pass over stored activations that serves all features at once."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.devices import pick_dtype
from app.ml.errors import Stopped
from app.ml.feature_discovery.firing_log import FiringLog
from app.ml.feature_discovery.interval_samples import IntervalSamples
from app.ml.feature_discovery.near_misses import NearMisses, encode_with_near_misses
from app.ml.feature_discovery.reading import choose_rows
from app.ml.feature_discovery.statistics import FeatureCounters
from app.ml.feature_discovery.token_counts import TokenCounts, document_halves
from app.ml.feature_discovery.top_contexts import TopContexts
from app.ml.records import Progress, Report, ShouldStop
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder, SparseLatents

CANDIDATES_PER_EXAMPLE = 3
"""Windows kept per example wanted, so that copies and same documents can give way."""
MIN_SPARE_CANDIDATES = 30
MERGE_ROWS = 32_768
SAVE_SECONDS = 30.0
STATE_FILE = "state.npz"


class _Part(Protocol):
    def state(self) -> dict[str, npt.NDArray[Any]]: ...

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None: ...


@dataclass
class _Waiting:
    """Columns of firings that wait for the next merge."""

    fired: list[tuple[npt.NDArray[Any], ...]] = field(default_factory=list)
    near: list[tuple[npt.NDArray[Any], ...]] = field(default_factory=list)
    n_rows: int = 0


class DiscoveryPass:
    """Reads every row once; what it holds can be saved between two merges and restored.

    Args:
        sae: Dictionary, on the device that is to encode.
        store: Extraction that holds the dictionary's place.
        tokens: The store's tokens.
        place: Layer and hook type that the dictionary reads.
        config: Limits and precision.
        folder: Its log and its saved state; an earlier run's state in it is continued.
        save_seconds: How often the state is saved.
    """

    def __init__(
        self,
        sae: SparseAutoencoder,
        store: ActivationStore,
        tokens: TokenStore,
        place: tuple[int, str],
        config: DiscoveryConfig,
        folder: Path,
        save_seconds: float = SAVE_SECONDS,
    ) -> None:
        self.sae, self.store, self.tokens, self.config = sae, store, tokens, config
        self.folder, self._save_seconds = folder, save_seconds
        self._device = sae.W_dec_FD.device
        self._dtype = pick_dtype(config.precision, self._device)
        self._rows = store.rows(*place)
        self.read_rows = choose_rows(store, config.max_tokens)
        self._halves = document_halves(tokens.doc_numbers)
        n, wanted = sae.d_sae, config.examples_per_feature
        spare = max(MIN_SPARE_CANDIDATES, wanted // 2)
        self.counters = FeatureCounters(n)
        self.top = TopContexts(n, min(wanted * CANDIDATES_PER_EXAMPLE, wanted + spare))
        self.samples = IntervalSamples(n, config.samples_per_interval, config.seed)
        self.near = TopContexts(n, config.near_misses, floor=-np.inf)
        self.token_counts = TokenCounts(int(tokens.tokens.max(initial=0)) + 1)
        self._done = 0
        self.log = FiringLog(folder, self._restore())

    @property
    def _parts(self) -> dict[str, _Part]:
        names = ("counters", "top", "samples", "near", "token_counts")
        return {name: getattr(self, name) for name in names}

    def stream(self, report: Report, should_stop: ShouldStop) -> None:
        """Read what is left to read.

        Raises:
            Stopped: ``should_stop`` said so.
            InvalidActivations: NaN, infinity or a wrong width.
        """
        began, first, n = time.monotonic(), self._done, len(self.read_rows)
        saved = began
        waiting = _Waiting()
        for start in range(first, n, self.config.batch_size):
            if should_stop():
                self._merge(waiting)
                self.save()
                raise Stopped("Feature discovery was stopped.")
            numbers = self.read_rows[start : start + self.config.batch_size]
            self._read(numbers, waiting)
            self._done = start + len(numbers)
            if waiting.n_rows >= MERGE_ROWS or self._done == n:
                self._merge(waiting)
                waiting = _Waiting()
                if self._done < n and time.monotonic() - saved >= self._save_seconds:
                    self.save()
                    saved = time.monotonic()
            rate = (self._done - first) / max(time.monotonic() - began, 1e-9)
            report(Progress(self._done, n, "tokens", "Reading activations", rate))

    def _read(self, numbers: npt.NDArray[np.int64], waiting: _Waiting) -> None:
        x_BD = self._rows.gather(numbers).to(self._device)
        if self.config.near_misses:
            active, near = encode_with_near_misses(self.sae, x_BD, self._dtype)
            waiting.near.append(self._near_columns(numbers, near))
        else:
            active = self.sae.encode_active(x_BD, self._dtype)
        waiting.fired.append(self._count(numbers, active))
        waiting.n_rows += len(numbers)

    def _count(
        self, numbers: npt.NDArray[np.int64], active: SparseLatents
    ) -> tuple[npt.NDArray[Any], ...]:
        latents_t, values_t = active.latents.cpu(), active.values.cpu()
        rows = active.rows.cpu().numpy()
        latents, values = latents_t.numpy(), values_t.numpy()
        self.counters.add(len(numbers), latents_t, values_t)
        self.log.add(np.bincount(rows, minlength=len(numbers)), latents, values)
        index = self.store.indices[numbers]
        places = index["token"].astype(np.int64)
        ids = self.tokens.tokens[places].astype(np.int64)
        halves = self._halves[self.tokens.documents_at(places)]
        self.token_counts.add_tokens(ids, halves)
        self.token_counts.add(latents, values, ids[rows], halves[rows])
        return latents, values, numbers[rows], index["window"][rows]

    def _near_columns(
        self, numbers: npt.NDArray[np.int64], near: NearMisses
    ) -> tuple[npt.NDArray[Any], ...]:
        rows = numbers[near.rows]
        return near.latents, near.margins, rows, self.store.indices["window"][rows]

    def _merge(self, waiting: _Waiting) -> None:
        if not waiting.fired:
            return
        fired = [np.concatenate(column) for column in zip(*waiting.fired, strict=True)]
        self.top.add(*fired)
        self.samples.add(*fired)
        if waiting.near:
            self.near.add(*(np.concatenate(c) for c in zip(*waiting.near, strict=True)))

    def save(self) -> None:
        """Write the state beside the log, in the place of the last one."""
        arrays = {
            f"{name}/{key}": array
            for name, part in self._parts.items()
            for key, array in part.state().items()
        }
        lengths = {f"log/{name}": np.array(n) for name, n in self.log.flush().items()}
        partial = self.folder / "state.partial.npz"
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, done=np.array(self._done), **arrays, **lengths)
        os.replace(partial, self.folder / STATE_FILE)  # noqa: PTH105

    def _restore(self) -> dict[str, int] | None:
        """Take up a saved state; its log's lengths, or None to begin anew."""
        path = self.folder / STATE_FILE
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as saved:
            for name, part in self._parts.items():
                own = {key: saved[key] for key in saved.files if key.startswith(f"{name}/")}
                part.restore({key.partition("/")[2]: array for key, array in own.items()})
            self._done = int(saved["done"])
            return {k.partition("/")[2]: int(saved[k]) for k in saved.files if k[:4] == "log/"}


def prepare_folder(folder: Path, fingerprint: str) -> None:
    """Make a pass's folder; what another dictionary, store or setting left in it is removed."""
    mark = folder / "fingerprint"
    if not mark.is_file() or mark.read_text() != fingerprint:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mark.write_text(fingerprint)
