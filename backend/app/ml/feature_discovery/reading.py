"""Which rows a pass reads, and how token ids become text."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.language_models.loading import LoadedModel

WORD_START = "\N{LOWER ONE EIGHTH BLOCK}"


def choose_rows(store: ActivationStore, max_tokens: int | None) -> npt.NDArray[np.int64]:
    """Return the rows to read, ascending: all, or whole windows evenly from everywhere.

    Whole windows, because a context needs the activations of its neighbours.
    """
    every = np.arange(store.n_rows, dtype=np.int64)
    if max_tokens is None or max_tokens >= store.n_rows:
        return every
    windows, first = np.unique(store.indices["window"], return_index=True)
    wanted = max(1, round(len(windows) * max_tokens / store.n_rows))
    chosen = ((np.arange(wanted) + 0.5) * len(windows) / wanted).astype(np.int64)
    ends = np.append(first[1:], store.n_rows)
    return np.concatenate([every[first[i] : ends[i]] for i in chosen])


def token_texts(loaded: LoadedModel | None) -> tuple[Any, Any]:
    """Return functions from a token id, and from several, to text."""
    if loaded is None:
        return (lambda i: f"<{i}>"), (lambda ids: " ".join(f"<{i}>" for i in ids))
    tokenizer = loaded.tokenizer
    # The wrapper around the fast tokenizer costs five times the decoding itself.
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        return (
            functools.cache(lambda i: _text_of(backend, i)),
            lambda ids: str(backend.decode(ids, skip_special_tokens=False)),
        )
    return functools.cache(lambda i: str(tokenizer.decode([i]))), (
        lambda ids: str(tokenizer.decode(ids))
    )


def _text_of(backend: Any, token_id: int) -> str:
    """One token's text with its leading space, which SentencePiece drops at a text's start."""
    text = str(backend.decode([token_id], skip_special_tokens=False))
    marked = (backend.id_to_token(token_id) or "").startswith(WORD_START)
    return f" {text}" if marked and not text.startswith(" ") else text
