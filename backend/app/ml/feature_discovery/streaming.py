"""The one pass over stored activations that serves all features at once."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.devices import pick_dtype
from app.ml.errors import Stopped
from app.ml.feature_discovery.firing_log import FiringLog
from app.ml.feature_discovery.interval_samples import IntervalSamples
from app.ml.feature_discovery.near_misses import encode_with_near_misses
from app.ml.feature_discovery.reading import choose_rows
from app.ml.feature_discovery.statistics import FeatureCounters
from app.ml.feature_discovery.token_counts import TokenCounts, document_halves
from app.ml.feature_discovery.top_contexts import TopContexts
from app.ml.records import Progress, Report, ShouldStop
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder

CANDIDATES_PER_EXAMPLE = 3
"""Windows kept per example wanted, so that copies and same documents can give way."""
MIN_SPARE_CANDIDATES = 30
SAVE_SECONDS = 30.0
STATE_FILE = "state.npz"


class _Part(Protocol):
    def state(self) -> dict[str, npt.NDArray[Any]]: ...

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None: ...


class _Places(NamedTuple):
    """Where a batch's rows are from: numbers in the store int64, windows int32, and int64
    2 x token + half of its document."""

    rows: torch.Tensor
    windows: torch.Tensor
    sides: torch.Tensor


class DiscoveryPass:
    """Reads every row once; what it holds can be saved between two batches and restored.

    Everything is counted on the device that encodes; only the log goes to the host as it is read.

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
        device = self._device
        candidates = min(wanted * CANDIDATES_PER_EXAMPLE, wanted + spare)
        self.counters = FeatureCounters(n, device)
        self.top = TopContexts(n, candidates, device=device)
        self.samples = IntervalSamples(n, config.samples_per_interval, config.seed, device)
        self.near = TopContexts(n, config.near_misses, floor=-np.inf, device=device)
        self.token_counts = TokenCounts(int(tokens.tokens.max(initial=0)) + 1, device)
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
        for start in range(first, n, self.config.batch_size):
            if should_stop():
                self.save()
                raise Stopped("Feature discovery was stopped.")
            numbers = self.read_rows[start : start + self.config.batch_size]
            self._read(numbers)
            self._done = start + len(numbers)
            if self._done < n and time.monotonic() - saved >= self._save_seconds:
                self.save()
                saved = time.monotonic()
            rate = (self._done - first) / max(time.monotonic() - began, 1e-9)
            report(Progress(self._done, n, "tokens", "Reading activations", rate))
        self.counters.to_host()

    def _read(self, numbers: npt.NDArray[np.int64]) -> None:
        x_BD = self._activations(numbers)
        at = self._places(numbers)
        if self.config.near_misses:
            active, near = encode_with_near_misses(self.sae, x_BD, self._dtype)
            rows, windows = at.rows[near.rows], at.windows[near.rows]
            self.near.add(near.latents, near.margins, rows, windows)
        else:
            active = self.sae.encode_active(x_BD, self._dtype)
        self.counters.add(len(numbers), active.latents, active.values)
        self.token_counts.add(active.latents, active.values, at.sides[active.rows])
        rows, windows = at.rows[active.rows], at.windows[active.rows]
        self.top.add(active.latents, active.values, rows, windows)
        self.samples.add(active.latents, active.values, rows, windows)
        counts = torch.bincount(active.rows, minlength=len(numbers))
        logged = (counts, active.latents.int(), active.values)
        self.log.add(*(column.cpu().numpy() for column in logged))

    def _activations(self, numbers: npt.NDArray[np.int64]) -> torch.Tensor:
        """Read rows, float32 on the device; a run of them goes there as it is kept."""
        first, last = int(numbers[0]), int(numbers[-1])
        if last - first + 1 != len(numbers):
            return self._rows.gather(numbers).to(self._device)
        return self._rows.format.decode(self._rows.kept(first, last + 1).to(self._device))

    def _places(self, numbers: npt.NDArray[np.int64]) -> _Places:
        index = self.store.indices[numbers]
        places = index["token"].astype(np.int64)
        ids = self.tokens.tokens[places].astype(np.int64)
        halves = self._halves[self.tokens.documents_at(places)]
        self.token_counts.add_tokens(ids, halves)
        columns = (numbers, index["window"].copy(), 2 * ids + halves)
        return _Places(*(torch.from_numpy(column).to(self._device) for column in columns))

    def settle(self) -> None:
        """Bring all that is kept to the host, once, before features are looked at one by one."""
        for kept in (self.top, self.samples, self.near):
            kept.settle()

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
