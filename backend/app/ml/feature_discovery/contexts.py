"""Example contexts, read from the token store when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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

    def examples(
        self, feature: int, rows: npt.NDArray[np.int64], values: npt.NDArray[np.float32]
    ) -> list[ExampleRecord]:
        """Build the records of one feature's chosen rows, strongest first."""
        if not len(rows):
            return []
        starts, ends = self.spans(rows)
        index = self.store.indices[rows]
        documents = self.tokens.documents_at(index["token"].astype(np.int64))
        places = [np.arange(s, e) for s, e in zip(starts, ends, strict=True)]
        flat = np.concatenate(places)
        found = self.firings.look_up(self._log_rows(flat), np.full(len(flat), feature))
        activations = np.split(found, np.cumsum([len(p) for p in places])[:-1])
        return [
            self._example(feature, rank, index[rank], int(documents[rank]), places[rank],
                          activations[rank], float(values[rank]))
            for rank in range(len(rows))
        ]  # fmt: skip

    def _log_rows(self, token_indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return which logged row holds each token, -1 where the token was dropped."""
        place = np.searchsorted(self.row_tokens, token_indices)
        inside = np.minimum(place, len(self.row_tokens) - 1)
        return np.where(self.row_tokens[inside] == token_indices, inside, -1)

    def _example(
        self,
        feature: int,
        rank: int,
        index: Any,
        document: int,
        places: npt.NDArray[np.int64],
        activations: npt.NDArray[np.float32],
        value: float,
    ) -> ExampleRecord:
        ids = [int(i) for i in self.tokens.tokens[places]]
        return ExampleRecord(
            feature=feature,
            rank=rank,
            document=int(self.tokens.doc_numbers[document]),
            token_index=int(index["token"]),
            position=int(index["token"] - places[0]),
            window_position=int(index["position"]),
            split=self.tokens.split_of_document(document),
            token_ids=ids,
            tokens=[self.text_of(i) for i in ids],
            activations=[round(float(a), 5) for a in activations],
            max_activation=value,
            text=self.decode(ids),
        )
