"""Activations on disk: one row per kept token, the same rows at every hook point."""

from __future__ import annotations

import functools
import mmap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.npy_files import map_of, open_npy
from app.ml.activation_extraction.row_format import RowFormat
from app.ml.errors import StoreInvalid
from app.ml.files import file_sha256, read_json

FORMAT = "mistudio-activations-1"
INDEX_DTYPE = np.dtype([("token", "<i8"), ("window", "<i4"), ("position", "<i4")])
"""Of each row: index into ``TokenStore.tokens``, window, position in the window."""


@dataclass(frozen=True)
class ActivationRows:
    """The rows of one hook point, spread over memory-mapped shards.

    A page of a map counts as this process's memory once it was touched, and a scattered read
    touches sixteen per row: every read gives them back to the page cache, or a training would
    grow to the store's size.
    """

    shards: list[torch.Tensor]
    starts: npt.NDArray[np.int64]
    format: RowFormat
    maps: list[mmap.mmap] = field(default_factory=list)

    @property
    def d_model(self) -> int:
        return self.format.width

    @property
    def n_rows(self) -> int:
        return int(self.starts[-1])

    def gather(self, rows: npt.NDArray[np.int64]) -> torch.Tensor:
        """Return the rows of the given numbers in their order, float32 (n, d_model)."""
        out = torch.empty(len(rows), self.d_model)
        shard_of = np.searchsorted(self.starts, rows, side="right") - 1
        for number in np.unique(shard_of):
            here = np.flatnonzero(shard_of == number)
            local = torch.from_numpy(rows[here] - self.starts[number])
            out[torch.from_numpy(here)] = self.format.decode(self.shards[number][local])
            self._release(number)
        return out

    def slice(self, start: int, stop: int) -> torch.Tensor:
        """Return rows ``start`` to ``stop`` (exclusive), float32 (n, d_model)."""
        return self.format.decode(self.kept(start, stop))

    def kept(self, start: int, stop: int) -> torch.Tensor:
        """Return rows ``start`` to ``stop`` (exclusive) as they are kept, see ``RowFormat``."""
        parts = [self.format.encode(torch.empty(0, self.d_model))]
        for number, shard in enumerate(self.shards):
            low = max(start - int(self.starts[number]), 0)
            high = min(stop - int(self.starts[number]), len(shard))
            if low < high:
                parts.append(shard[low:high].clone())
                self._release(number)
        return torch.cat(parts)

    def _release(self, number: int) -> None:
        """Unmap what was read of a shard; nothing is ever written to these maps."""
        if self.maps:
            self.maps[number].madvise(mmap.MADV_DONTNEED)


class ActivationStore:
    """A finished extraction, opened read-only; see ``extract_activations`` for its making.

    Rows ``0 .. n_train_rows - 1`` come from training documents, the rest from held-out ones.
    """

    def __init__(self, path: Path, metadata: dict[str, Any]) -> None:
        self.path = path
        self.metadata = metadata

    @classmethod
    def open(cls, path: Path) -> ActivationStore:
        """Open a store and compare every file's length with the manifest.

        Raises:
            StoreInvalid: unfinished, truncated or of an unknown format.
        """
        try:
            metadata = read_json(path / "metadata.json")
        except (OSError, ValueError) as error:
            raise StoreInvalid(f"{path.name} holds no finished extraction.") from error
        if metadata.get("format") != FORMAT:
            raise StoreInvalid(f"{path.name} is not an activation store of this version.")
        store = cls(path, metadata)
        for entry in metadata["files"]:
            file = path / entry["name"]
            if not file.is_file() or file.stat().st_size != entry["size_bytes"]:
                raise StoreInvalid(f"{entry['name']} is missing or truncated; extract again.")
        return store

    def verify(self) -> None:
        """Compare every file's checksum with the manifest; reads everything once.

        Raises:
            StoreInvalid: naming the first file that was altered.
        """
        for entry in self.metadata["files"]:
            if file_sha256(self.path / entry["name"]) != entry["sha256"]:
                raise StoreInvalid(f"{entry['name']} was altered; extract again.")

    @property
    def layers(self) -> list[int]:
        return list(self.metadata["config"]["layers"])

    @property
    def hook_types(self) -> list[str]:
        return list(self.metadata["config"]["hook_types"])

    @property
    def d_model(self) -> int:
        return int(self.metadata["hooks"][0]["d_model"])

    @property
    def n_rows(self) -> int:
        return int(self.metadata["n_tokens"])

    @property
    def n_tokens(self) -> int:
        return self.n_rows

    @property
    def n_train_rows(self) -> int:
        return int(self.metadata["n_train_tokens"])

    @property
    def n_heldout_rows(self) -> int:
        return self.n_rows - self.n_train_rows

    @functools.cached_property
    def indices(self) -> npt.NDArray[Any]:
        """Where each row comes from, as ``INDEX_DTYPE``."""
        return open_npy(self.path / "indices.npy", self.n_rows)

    def hook(self, layer: int, hook_type: str) -> dict[str, Any]:
        """Return what the extraction measured at one hook point (``HookSummary``).

        Raises:
            StoreInvalid: this place was not extracted.
        """
        name = f"L{layer}_{hook_type}"
        hook = next((h for h in self.metadata["hooks"] if _hook_name(h) == name), None)
        if hook is None:
            known = ", ".join(_hook_name(h) for h in self.metadata["hooks"])
            raise StoreInvalid(f"{name} was not extracted; this store has {known}.")
        found: dict[str, Any] = hook
        return found

    def rows(self, layer: int, hook_type: str) -> ActivationRows:
        """Map the rows of one hook point.

        Raises:
            StoreInvalid: this place was not extracted, or a shard is truncated.
        """
        name, hook = f"L{layer}_{hook_type}", self.hook(layer, hook_type)
        rows = RowFormat(self.metadata["config"]["dtype"], int(hook["d_model"]))
        shards, maps, starts = [], [], [0]
        for number, n_rows in enumerate(self.metadata["shard_rows"]):
            file = self.path / name / f"shard_{number:05d}.npy"
            array = open_npy(file, n_rows, mode="c")
            shards.append(rows.from_file(array))
            maps += map_of(array)
            starts.append(starts[-1] + n_rows)
        held = maps if len(maps) == len(shards) else []
        bounds = np.array(starts, dtype=np.int64)
        return ActivationRows(shards, bounds, rows, held)


def _hook_name(hook: dict[str, Any]) -> str:
    return f"L{hook['layer']}_{hook['hook_type']}"
