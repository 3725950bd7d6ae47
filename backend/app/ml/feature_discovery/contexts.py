"""Example contexts, read from the token store when they are asked for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.feature_discovery.firing_log import FiringTable
from app.ml.records import ExampleRecord, PackedContext

Kind = Literal["top", "sample", "near_miss"]


class _Place(NamedTuple):
    """A window: ``first`` up to ``last`` of the flat arrays; ``position`` is its peak's in it."""

    first: int
    last: int
    peak: int
    position: int
    document: int
    in_train: bool
    window_position: int

    def maximum(self, values: npt.NDArray[np.float32], kind: str) -> float:
        """Return the activation at the peak; near misses have none there."""
        if kind == "near_miss":
            return float(values[self.first : self.last].max())
        return float(values[self.first + self.position])


@dataclass(frozen=True)
class _Windows:
    """Token ids and activations of several windows, one after the other."""

    ids: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]
    places: list[_Place]


class ContextReader:
    """Turns rows of the store into windows of tokens with the feature's activations.

    A context ends where its window or its document ends: the model saw no further, or what
    follows has nothing to do with it.
    """

    def __init__(
        self,
        store: ActivationStore,
        tokens: TokenStore,
        firings: FiringTable,
        config: DiscoveryConfig,
        text_of: Callable[[int], str],
        decode: Callable[[list[int]], str],
        read_rows: npt.NDArray[np.int64],
    ) -> None:
        self.store, self.tokens, self.firings = store, tokens, firings
        self.config, self.text_of, self.decode = config, text_of, decode
        # Rows that the pass read, ascending, and where they stand in the text.
        self.read_rows = read_rows
        self.row_tokens: npt.NDArray[np.int64] = store.indices["token"][read_rows]

    def spans(
        self, rows: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the first and the past-the-last token index shown for each row."""
        index = self.store.indices[rows]
        peak = index["token"].astype(np.int64)
        windows = index["window"].astype(np.int64)
        window_start = self.tokens.window_starts(windows)
        documents = self.tokens.documents_at(peak)
        first = np.maximum(window_start, self.tokens.doc_offsets[documents])
        last = np.minimum(
            window_start + self.tokens.content_length, self.tokens.doc_offsets[documents + 1]
        )
        start = np.maximum(peak - self.config.left_context, first)
        return start, np.minimum(peak + self.config.right_context + 1, last)

    def documents(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the place of each row's document in the token store."""
        return self.tokens.documents_at(self.store.indices["token"][rows].astype(np.int64))

    def peak_tokens(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the token id of each row itself."""
        places = self.store.indices["token"][rows].astype(np.int64)
        return self.tokens.tokens[places].astype(np.int64)

    def strongest(self, feature: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the feature's largest activation in the window around each row."""
        found = self._windows(feature, rows)
        return np.array([found.values[p.first : p.last].max() for p in found.places], np.float32)

    def texts(self, rows: npt.NDArray[np.int64]) -> list[bytes]:
        """Return the shown token ids of each row as bytes, for finding equal contexts."""
        starts, ends = self.spans(rows)
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        return [self.tokens.tokens[start:end].tobytes() for start, end in pairs]

    def words(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Return the shown text of each row."""
        starts, ends = self.spans(rows)
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        return [self.decode(self.tokens.tokens[start:end].tolist()) for start, end in pairs]

    def following(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Return the token after each row's, where its context goes on."""
        peaks = self.store.indices["token"][rows].astype(np.int64)
        after = peaks[peaks + 1 < self.spans(rows)[1]] + 1 if len(rows) else peaks
        return [self.text_of(i) for i in self.tokens.tokens[after].tolist()]

    def activations(self, feature: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the feature's activation at each row, 0 where it did not fire."""
        peaks = self.store.indices["token"][rows].astype(np.int64)
        return self.firings.look_up(self._log_rows(peaks), np.full(len(rows), feature))

    def examples(
        self,
        feature: int,
        rows: npt.NDArray[np.int64],
        kind: Kind = "top",
        octaves: npt.NDArray[np.int64] | None = None,
        margins: npt.NDArray[np.float32] | None = None,
    ) -> list[ExampleRecord]:
        """Return what ``packed`` does with a Python object per token: ten times the time."""
        return [unpacked(feature, c) for c in self.packed(feature, rows, kind, octaves, margins)]

    def packed(
        self,
        feature: int,
        rows: npt.NDArray[np.int64],
        kind: Kind = "top",
        octaves: npt.NDArray[np.int64] | None = None,
        margins: npt.NDArray[np.float32] | None = None,
    ) -> list[PackedContext]:
        """Build the contexts of one feature's chosen rows, in their order.

        Args:
            feature: Latent.
            rows: Rows of the store.
            kind: What the rows are.
            octaves: Of samples.
            margins: Of near misses.
        """
        found = self._windows(feature, rows)
        ids = found.ids.tolist()
        texts = [self.text_of(i) for i in ids]
        packed_ids = found.ids.astype(">i4").tobytes()
        packed_values = found.values.astype(">f4").tobytes()
        lengths = np.fromiter(map(len, texts), dtype=">u2", count=len(texts)).tobytes()
        return [
            PackedContext(
                rank=rank,
                document=place.document,
                position=place.position,
                max_activation=place.maximum(found.values, kind),
                kind=kind,
                split="train" if place.in_train else "held_out",
                text="".join(texts[place.first : place.last]),
                token_ids=packed_ids[4 * place.first : 4 * place.last],
                token_lengths=lengths[2 * place.first : 2 * place.last],
                activations=packed_values[4 * place.first : 4 * place.last],
                octave=None if octaves is None else int(octaves[rank]),
                margin=None if margins is None else float(margins[rank]),
                token_index=place.peak,
                window_position=place.window_position,
            )
            for rank, place in enumerate(found.places)
        ]

    def _windows(self, feature: int, rows: npt.NDArray[np.int64]) -> _Windows:
        if not len(rows):
            return _Windows(np.empty(0, np.int32), np.empty(0, np.float32), [])
        starts, ends = self.spans(rows)
        index = self.store.indices[rows]
        peaks = index["token"].astype(np.int64)
        documents = self.tokens.documents_at(peaks)
        lengths = ends - starts
        last = np.cumsum(lengths)
        first = last - lengths
        flat = np.arange(int(lengths.sum())) + np.repeat(starts - first, lengths)
        values = self.firings.look_up(self._log_rows(flat), np.full(len(flat), feature))
        columns = (
            first, last, peaks, peaks - starts, self.tokens.doc_numbers[documents],
            documents < self.tokens.n_train_documents, index["position"],
        )  # fmt: skip
        places = itertools.starmap(_Place, zip(*(c.tolist() for c in columns), strict=True))
        return _Windows(self.tokens.tokens[flat], values, list(places))

    def _log_rows(self, token_indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return which logged row holds each token, -1 where the token was dropped."""
        place = np.searchsorted(self.row_tokens, token_indices)
        inside = np.minimum(place, len(self.row_tokens) - 1)
        return np.where(self.row_tokens[inside] == token_indices, inside, -1)


def unpacked(feature: int, context: PackedContext) -> ExampleRecord:
    """Return a stored context with its lists; activations to five digits."""
    lengths = np.frombuffer(context.token_lengths, ">u2").tolist()
    ends = list(itertools.accumulate(lengths, initial=0))
    activations = np.frombuffer(context.activations, ">f4").astype(float).round(5).tolist()
    return ExampleRecord(
        feature=feature,
        kind=context.kind,
        rank=context.rank,
        document=context.document,
        token_index=context.token_index,
        position=context.position,
        window_position=context.window_position,
        split="train" if context.split == "train" else "heldout",
        token_ids=np.frombuffer(context.token_ids, ">i4").tolist(),
        tokens=[context.text[start:end] for start, end in itertools.pairwise(ends)],
        activations=activations,
        max_activation=context.max_activation,
        text=context.text,
        octave=context.octave,
        margin=context.margin,
    )
