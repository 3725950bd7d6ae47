"""Token ids on disk, packed into windows, training documents first, held-out ones after them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.ml.activation_extraction.npy_files import open_npy
from app.ml.errors import StoreInvalid
from app.ml.files import read_json

FORMAT = "mistudio-tokens-1"


@dataclass(frozen=True)
class TokenStore:
    """A tokenised corpus, memory-mapped.

    ``tokens`` int32 holds all training documents, then all held-out ones, each with its
    separator; document i is ``tokens[doc_offsets[i]:doc_offsets[i + 1]]`` and was number
    ``doc_numbers[i]`` of the corpus. Windows of ``window_length`` tokens cut through this without
    padding and never mix the splits; with a ``start_id`` each begins with that token, so it
    carries ``content_length = window_length - 1`` tokens of text. A rest shorter than a window
    is left out.
    """

    path: Path
    metadata: dict[str, Any]
    tokens: npt.NDArray[np.int32]
    doc_offsets: npt.NDArray[np.int64]
    doc_numbers: npt.NDArray[np.int64]

    @classmethod
    def open(cls, path: Path) -> TokenStore:
        """Open a store.

        Raises:
            StoreInvalid: missing, truncated or of an unknown format.
        """
        try:
            metadata = read_json(path / "metadata.json")
        except (OSError, ValueError) as error:
            raise StoreInvalid(f"{path.name} holds no finished tokenisation.") from error
        if metadata.get("format") != FORMAT:
            raise StoreInvalid(f"{path.name} is not a token store of this version.")
        n_documents = metadata["n_documents"]
        return cls(
            path=path,
            metadata=metadata,
            tokens=open_npy(path / "tokens.npy", metadata["n_tokens"]),
            doc_offsets=open_npy(path / "doc_offsets.npy", n_documents + 1),
            doc_numbers=open_npy(path / "doc_numbers.npy", n_documents),
        )

    @property
    def n_tokens(self) -> int:
        return int(self.metadata["n_tokens"])

    @property
    def n_train_tokens(self) -> int:
        return int(self.metadata["n_train_tokens"])

    @property
    def n_train_documents(self) -> int:
        return int(self.metadata["n_documents"] - self.metadata["n_heldout_documents"])

    @property
    def window_length(self) -> int:
        return int(self.metadata["config"]["max_length"])

    @property
    def start_id(self) -> int | None:
        value = self.metadata["start_id"]
        return None if value is None else int(value)

    @property
    def content_length(self) -> int:
        return self.window_length - (self.start_id is not None)

    @property
    def n_train_windows(self) -> int:
        return self.n_train_tokens // self.content_length

    @property
    def n_heldout_windows(self) -> int:
        return (self.n_tokens - self.n_train_tokens) // self.content_length

    @property
    def n_windows(self) -> int:
        return self.n_train_windows + self.n_heldout_windows

    def window_starts(self, windows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the index in ``tokens`` of each window's first token of text."""
        heldout = windows - self.n_train_windows
        in_train = windows * self.content_length
        in_heldout = self.n_train_tokens + heldout * self.content_length
        return np.where(heldout < 0, in_train, in_heldout).astype(np.int64)

    def read_windows(self, windows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the windows' token ids, int64 (n, window_length), start token included."""
        starts = self.window_starts(windows)
        content: npt.NDArray[np.int64]
        content = self.tokens[starts[:, None] + np.arange(self.content_length)].astype(np.int64)
        if self.start_id is None:
            return content
        first = np.full((len(windows), 1), self.start_id, dtype=np.int64)
        return np.concatenate([first, content], axis=1)

    def documents_at(self, token_indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return for each index into ``tokens`` the stored document that holds it."""
        found = np.searchsorted(self.doc_offsets, token_indices, side="right") - 1
        return found.astype(np.int64)

    def split_of_document(self, document: int) -> str:
        return "train" if document < self.n_train_documents else "heldout"
