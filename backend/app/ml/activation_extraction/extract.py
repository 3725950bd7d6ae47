"""Reading activations out of a language model into memory-mapped shards."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.ml.activation_extraction.activation_store import FORMAT, INDEX_DTYPE
from app.ml.activation_extraction.calibration import HookLimits, calibrate
from app.ml.activation_extraction.npy_files import NpyWriter, open_npy
from app.ml.activation_extraction.plan import (
    check_space,
    discard_other_plan,
    fingerprint,
    plan_windows,
)
from app.ml.activation_extraction.row_format import RowFormat
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.activation_extraction.window_reader import WindowReader
from app.ml.configs import ExtractionConfig
from app.ml.errors import InvalidActivations, Stopped
from app.ml.files import file_sha256, folder_size_bytes, read_json, write_json
from app.ml.language_models.hook_points import HookPoint, resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.records import ExtractionSummary, Progress, Report, ShouldStop

REPORT_SECONDS = 0.25


@dataclass
class _ShardCounts:
    """What one shard holds; written beside it when, and only when, all its files are whole."""

    rows: int = 0
    train_rows: int = 0
    dropped_special: int = 0
    dropped_norm: int = 0
    outliers: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    positions: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)


def extract_activations(
    loaded: LoadedModel,
    tokens: TokenStore,
    destination: Path,
    config: ExtractionConfig,
    report: Report,
    should_stop: ShouldStop,
) -> ExtractionSummary:
    """Store the activations of several layers and hook types in one pass over the windows.

    Dropped at every hook point alike, so that rows stay aligned: special tokens, and tokens whose
    norm at any of the hook points exceeds ``norm_limit`` times that point's median (attention
    sinks). Both are counted. Memory use does not depend on the corpus.

    A call on a folder that an earlier call with the same arguments left unfinished continues
    after its last whole shard.

    Raises:
        HookPointNotFound: a layer or hook type does not exist.
        CorpusEmpty: the tokens do not fill one training window.
        InvalidActivations: the model produced NaN or infinity, or values too large for float16.
        OSError: ENOSPC before anything is computed when the disk is too small.
        Stopped: ``should_stop`` said so; finished shards stay.
    """
    points = [
        resolve_hook_point(loaded.model, layer, hook_type)
        for layer in config.layers
        for hook_type in config.hook_types
    ]
    windows = plan_windows(tokens, config)
    limits = calibrate(loaded, tokens, windows, points, config.norm_limit)
    destination.mkdir(parents=True, exist_ok=True)
    discard_other_plan(destination, fingerprint(loaded, tokens, config))
    check_space(destination, len(windows) * tokens.window_length, limits, config)
    run = _Extraction(loaded, tokens, destination, config, points, limits, report, should_stop)
    return run.execute(windows)


class _Extraction:
    def __init__(
        self,
        loaded: LoadedModel,
        tokens: TokenStore,
        destination: Path,
        config: ExtractionConfig,
        points: list[HookPoint],
        limits: list[HookLimits],
        report: Report,
        should_stop: ShouldStop,
    ) -> None:
        self.loaded, self.tokens = loaded, tokens
        self.destination, self.config = destination, config
        self.points, self.limits = points, limits
        self.reader = WindowReader(loaded, tokens, points, limits)
        self.report, self.should_stop = report, should_stop
        self.positions_done = self.positions_total = 0
        self.fresh_positions = 0
        self.began = self.last_report = time.monotonic()

    def execute(self, windows: npt.NDArray[np.int64]) -> ExtractionSummary:
        self.positions_total = len(windows) * self.tokens.window_length
        step = self.config.windows_per_shard
        counts = []
        for number, start in enumerate(range(0, len(windows), step)):
            counts.append(self._shard(number, windows[start : start + step]))
        self._progress("Writing the index")
        return self._finish(counts, len(windows))

    def _shard(self, number: int, windows: npt.NDArray[np.int64]) -> _ShardCounts:
        record = self.destination / f"shard_{number:05d}.json"
        if record.is_file():
            counts = _ShardCounts(**read_json(record))
        else:
            counts = self._read_shard(number, windows)
            write_json(record, asdict(counts))
            self.fresh_positions += counts.positions
        return counts

    def _read_shard(self, number: int, windows: npt.NDArray[np.int64]) -> _ShardCounts:
        began, counts = time.monotonic(), _ShardCounts()
        reserve = len(windows) * self.tokens.window_length
        paths = [self.destination / p.name / f"shard_{number:05d}.npy" for p in self.points]
        index_path = self.destination / f"indices_{number:05d}.npy"
        writers = [
            self._open_writer(*pair, reserve) for pair in zip(paths, self.limits, strict=True)
        ]
        index = NpyWriter(index_path, (), INDEX_DTYPE, reserve_rows=reserve)
        try:
            for start in range(0, len(windows), self.config.batch_size):
                if self.should_stop():
                    raise Stopped("The extraction was stopped; it resumes at the last whole shard.")
                batch = windows[start : start + self.config.batch_size]
                self._read_batch(batch, writers, index, counts)
                self._progress("Reading activations")
        finally:
            for writer in [*writers, index]:
                writer.close()
        counts.seconds = time.monotonic() - began
        counts.files = [_describe_file(self.destination, path) for path in paths]
        return counts

    def _open_writer(self, path: Path, limits: HookLimits, reserve: int) -> NpyWriter:
        path.parent.mkdir(exist_ok=True)
        rows = RowFormat(self.config.dtype, limits.d_model)
        return NpyWriter(path, (rows.n_columns,), rows.file_dtype, reserve_rows=reserve)

    def _read_batch(
        self,
        windows: npt.NDArray[np.int64],
        writers: list[NpyWriter],
        index: NpyWriter,
        counts: _ShardCounts,
    ) -> None:
        read = self.reader.read(windows)
        for point, writer in zip(self.points, writers, strict=True):
            rows_ND = read.rows(point)
            rows = RowFormat(self.config.dtype, rows_ND.shape[1])
            writer.append(rows.to_file(rows.encode(rows_ND)))
            counts.outliers[point.name] = counts.outliers.get(point.name, 0) + read.outliers[point]
        keep_BS = read.kept
        places = self._index_rows(windows, keep_BS)
        index.append(places)
        counts.rows += len(places)
        counts.train_rows += int((places["window"] < self.tokens.n_train_windows).sum())
        counts.dropped_special += int(read.special_BS.sum())
        counts.dropped_norm += int(read.outlier_BS.sum())
        counts.positions += keep_BS.size
        self.positions_done += keep_BS.size

    def _index_rows(
        self, windows: npt.NDArray[np.int64], keep_BS: npt.NDArray[np.bool_]
    ) -> npt.NDArray[Any]:
        which, position = np.nonzero(keep_BS)
        offset = int(self.tokens.start_id is not None)
        rows = np.empty(len(which), dtype=INDEX_DTYPE)
        rows["token"] = self.tokens.window_starts(windows)[which] + position - offset
        rows["window"] = windows[which]
        rows["position"] = position
        return rows

    def _progress(self, message: str) -> None:
        now = time.monotonic()
        if now - self.last_report < REPORT_SECONDS and self.positions_done < self.positions_total:
            return
        self.last_report = now
        rate = self.positions_done / max(now - self.began, 1e-9)
        done = self.positions_done
        self.report(Progress(done, self.positions_total, "tokens", message, rate))

    def _finish(self, counts: list[_ShardCounts], n_windows: int) -> ExtractionSummary:
        """Join the index, write the manifest, drop what only a resumption needs."""
        index_path = self.destination / "indices.npy"
        with NpyWriter(index_path, (), INDEX_DTYPE) as index:
            for number, shard in enumerate(counts):
                part = self.destination / f"indices_{number:05d}.npy"
                open_npy(part, shard.rows)
                index.append_file(part)
        n_rows = sum(c.rows for c in counts)
        train_rows = sum(c.train_rows for c in counts)
        if train_rows == 0:
            raise InvalidActivations("Every token was dropped; raise the norm limit.")
        seconds = sum(c.seconds for c in counts)
        files = [f for c in counts for f in c.files]
        files.append(_describe_file(self.destination, index_path))
        summary = ExtractionSummary(
            n_tokens=n_rows,
            n_train_tokens=train_rows,
            n_heldout_tokens=n_rows - train_rows,
            n_windows=n_windows,
            dropped_special=sum(c.dropped_special for c in counts),
            dropped_norm=sum(c.dropped_norm for c in counts),
            tokens_per_second=sum(c.positions for c in counts) / max(seconds, 1e-9),
            seconds=seconds,
            size_bytes=folder_size_bytes(self.destination),
            model_dtype=str(self.loaded.dtype).removeprefix("torch."),
            hooks=[
                limits.summary(sum(c.outliers.get(point.name, 0) for c in counts))
                for point, limits in zip(self.points, self.limits, strict=True)
            ],
        )
        metadata = {
            "format": FORMAT,
            "config": self.config.to_dict(),
            "shard_rows": [c.rows for c in counts],
            "files": files,
            "tokens": {
                k: self.tokens.metadata[k]
                for k in ("n_tokens", "start_id", "separator_id", "config")
            },
            **asdict(summary),
        }
        write_json(self.destination / "metadata.json", metadata)
        for leftover in [*self.destination.glob("shard_*.json"), self.destination / "plan.json"]:
            leftover.unlink(missing_ok=True)
        for part in self.destination.glob("indices_*.npy"):
            part.unlink()
        return summary


def _describe_file(root: Path, path: Path) -> dict[str, Any]:
    return {
        "name": str(path.relative_to(root)),
        "size_bytes": path.stat().st_size,
        "sha256": file_sha256(path),
    }
