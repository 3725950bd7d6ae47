"""Example contexts, read from the token store when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.feature_discovery.firing_log import FiringTable
from app.ml.records import ExampleRecord


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
        kind: Literal["top", "sample", "near_miss"] = "top",
        octaves: npt.NDArray[np.int64] | None = None,
        margins: npt.NDArray[np.float32] | None = None,
    ) -> list[ExampleRecord]:
        """Build the records of one feature's chosen rows, in their order.

        Args:
            feature: Latent.
            rows: Rows of the store.
            kind: What the rows are.
            octaves: Of samples.
            margins: Of near misses.
        """
        if not len(rows):
            return []
        starts, ends = self.spans(rows)
        index = self.store.indices[rows]
        peaks = index["token"].astype(np.int64)
        documents = self.tokens.documents_at(peaks)
        lengths = ends - starts
        first = np.cumsum(lengths) - lengths
        flat = np.arange(int(lengths.sum())) + np.repeat(starts - first, lengths)
        found = self.firings.look_up(self._log_rows(flat), np.full(len(flat), feature))
        ids, values = self.tokens.tokens[flat].tolist(), found.round(5).astype(float).tolist()
        columns = (first, lengths, peaks, starts, documents, index["position"])
        records = []
        for rank, (at, n, peak, start, document, position) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        ):
            shown = ids[at : at + n]
            activations = values[at : at + n]
            records.append(
                ExampleRecord(
                    feature=feature,
                    kind=kind,
                    rank=rank,
                    document=int(self.tokens.doc_numbers[document]),
                    token_index=peak,
                    position=peak - start,
                    window_position=position,
                    split=self.tokens.split_of_document(document),
                    token_ids=shown,
                    tokens=[self.text_of(i) for i in shown],
                    activations=activations,
                    max_activation=float(found[at + peak - start])
                    if kind != "near_miss"
                    else max(activations),
                    text=self.decode(shown),
                    octave=None if octaves is None else int(octaves[rank]),
                    margin=None if margins is None else float(margins[rank]),
                )
            )
        return records

    def _log_rows(self, token_indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return which logged row holds each token, -1 where the token was dropped."""
        place = np.searchsorted(self.row_tokens, token_indices)
        inside = np.minimum(place, len(self.row_tokens) - 1)
        return np.where(self.row_tokens[inside] == token_indices, inside, -1)
