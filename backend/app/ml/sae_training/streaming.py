"""Batches straight from the language model: for a corpus whose activations would fill the disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.calibration import HookLimits
from app.ml.activation_extraction.row_format import RowFormat
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.activation_extraction.window_reader import WindowReader
from app.ml.errors import CheckpointMismatch, CorpusEmpty, InvalidActivations, Stopped
from app.ml.language_models.hook_points import HookPoint, resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.sae_training.batches import Rows, ShuffledBatches

BATCHES_PER_BLOCK = 50
FEWEST_WINDOWS = 1000
"""A block holds at least 50 batches and 1,000 windows: few tokens of a batch share a document."""
WINDOWS_PER_PASS = 16
GPU_TOKENS_PER_PASS = 65_536
ROWS_STREAM = 2**33


@dataclass(frozen=True)
class ModelStream:
    """A language model and the tokens that it reads during a training.

    ``windows_per_pass`` (empty: 16, on a GPU what fills it) changes speed and memory,
    ``block_windows`` (empty: see above) how far tokens are shuffled.
    """

    loaded: LoadedModel
    tokens: TokenStore
    windows_per_pass: int | None = None
    block_windows: int | None = None


@dataclass(frozen=True)
class _Block:
    """Rows as they are kept, see ``RowFormat``."""

    number: int
    inputs: torch.Tensor
    targets: torch.Tensor
    formats: tuple[RowFormat, RowFormat]


class StreamedBatches:
    """Token-shuffled batches over all training windows, epoch after epoch.

    Windows follow one another in an endless chain of seeded permutations. Each block of it is
    read by the model, its tokens are shuffled, and batches are cut from the chain of blocks: no
    token is lost or repeated between blocks. How many rows a block kept is known once it was
    read; ``block_rows`` remembers that, so with it batch ``step`` depends on seed and step alone
    and a resumed run reads one block again, two where a batch spans them.

    Args:
        reader: Model, tokens and places: what is read, then what is to be written if that is
            another place.
        sample: Rows of a store that statistics are measured on.
        batch_size: Rows per batch.
        seed: Fixes the order.
        stream: Sizes.
        dtype: How rows are kept, as in a store.
        should_stop: Asked between passes of the model.
    """

    def __init__(
        self,
        reader: WindowReader,
        sample: ShuffledBatches,
        batch_size: int,
        seed: int,
        stream: ModelStream,
        dtype: str,
        should_stop: Callable[[], bool],
    ) -> None:
        self.n_windows = reader.tokens.n_train_windows
        if self.n_windows < 1:
            raise CorpusEmpty("The tokens do not fill one training window.")
        self.reader, self._sample, self.batch_size, self.seed = reader, sample, batch_size, seed
        self.windows_per_pass = stream.windows_per_pass or _windows_per_pass(reader)
        self.dtype = dtype
        self.should_stop = should_stop
        wanted = -(-BATCHES_PER_BLOCK * batch_size // reader.tokens.content_length)
        most = min(max(wanted, FEWEST_WINDOWS), self.n_windows)
        self.block_windows = stream.block_windows or most
        self.block_rows: list[int] = []
        self._block: _Block | None = None

    def sample(self, n_rows: int | None = None) -> Rows:
        """Return random training rows of the store for statistics."""
        return self._sample.sample(n_rows)

    def batch(self, step: int) -> Rows:
        """Return batch ``step``, reading blocks as they are reached.

        Raises:
            Stopped: asked to while the model was reading.
            CheckpointMismatch: a block differs from when a checkpoint was written.
        """
        place, end = step * self.batch_size, (step + 1) * self.batch_size
        inputs, targets = [], []
        while place < end:
            number, inside = self._find(place)
            block = self._read(number)
            rows = slice(inside, min(inside + end - place, len(block.inputs)))
            read, written = block.formats
            inputs.append(read.decode(block.inputs[rows]))
            if len(self.reader.points) > 1:
                targets.append(written.decode(block.targets[rows]))
            place += rows.stop - rows.start
        input_BD = torch.cat(inputs)
        return input_BD, torch.cat(targets) if targets else input_BD

    def windows_of(self, number: int) -> npt.NDArray[np.int64]:
        """Return the windows of a block, in reading order."""
        places = number * self.block_windows + np.arange(self.block_windows)
        epochs = places // self.n_windows
        chain = {epoch: self._permutation(epoch) for epoch in range(epochs[0], epochs[-1] + 1)}
        found = [chain[epoch][places[epochs == epoch] % self.n_windows] for epoch in chain]
        return np.concatenate(found)

    def _permutation(self, epoch: int) -> npt.NDArray[np.int64]:
        return np.random.default_rng([self.seed, int(epoch)]).permutation(self.n_windows)

    def _find(self, place: int) -> tuple[int, int]:
        """Return the block that holds a place in the chain of rows, and where in it."""
        start, number = 0, 0
        while True:
            if number == len(self.block_rows):
                self._read(number)
            if place < start + self.block_rows[number]:
                return number, place - start
            start += self.block_rows[number]
            number += 1

    def _read(self, number: int) -> _Block:
        if self._block is not None and self._block.number == number:
            return self._block
        self._block = None  # its memory is free before the next one is read
        block = self._shuffled(number)
        n_rows = len(block.inputs)
        if number == len(self.block_rows):
            self.block_rows.append(n_rows)
        if n_rows != self.block_rows[number]:
            raise CheckpointMismatch(
                f"Block {number} of the text gives {n_rows} rows instead of "
                f"{self.block_rows[number]}: model or tokens changed since the checkpoint."
            )
        if not n_rows:
            raise InvalidActivations("Every token was dropped; raise the norm limit.")
        self._block = block
        return block

    def _shuffled(self, number: int) -> _Block:
        windows = self.windows_of(number)
        places = list(dict.fromkeys((self.reader.points[0], self.reader.points[-1])))
        parts: list[list[torch.Tensor]] = [[] for _ in places]
        formats: dict[HookPoint, RowFormat] = {}
        for start in range(0, len(windows), self.windows_per_pass):
            if self.should_stop():
                raise Stopped("The training was stopped while the model was reading.")
            read = self.reader.read(windows[start : start + self.windows_per_pass])
            for kept, point in zip(parts, places, strict=True):
                rows_ND = read.rows(point)
                formats[point] = RowFormat(self.dtype, rows_ND.shape[1])
                kept.append(formats[point].encode(rows_ND))
        order = self._order(number, sum(len(part) for part in parts[0]))
        rows = []
        while parts:
            part = torch.cat(parts.pop(0))
            rows.append(part[order.to(part.device)])
        return _Block(number, rows[0], rows[-1], (formats[places[0]], formats[places[-1]]))

    def _order(self, number: int, n_rows: int) -> torch.Tensor:
        random = np.random.default_rng([self.seed, ROWS_STREAM, number])
        return torch.from_numpy(random.permutation(n_rows))


def _windows_per_pass(reader: WindowReader) -> int:
    if reader.loaded.device.type == "cpu":
        return WINDOWS_PER_PASS
    return max(GPU_TOKENS_PER_PASS // reader.tokens.window_length, 1)


def reader_of(store: ActivationStore, stream: ModelStream, places: list[HookPoint]) -> WindowReader:
    """Return a reader that leaves out tokens by the norms that the store's extraction found."""
    share = store.metadata["config"]["norm_limit"]
    limits = []
    for place in places:
        hook = store.hook(place.layer, place.hook_type)
        limit = np.inf if share is None else share * hook["median_norm"]
        limits.append(
            HookLimits(
                place.layer, place.hook_type, hook["d_model"], limit, hook["median_norm"],
                hook["mean_norm"], hook["max_norm"], hook["first_position_norm"],
            )
        )  # fmt: skip
    return WindowReader(stream.loaded, stream.tokens, places, limits)


def places_of(loaded: LoadedModel, layer: int, *hook_types: str) -> list[HookPoint]:
    """Return the places of one block, each once."""
    return [resolve_hook_point(loaded.model, layer, kind) for kind in dict.fromkeys(hook_types)]
