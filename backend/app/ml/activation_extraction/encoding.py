"""Single texts to token ids, and what is decided by the text alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.ml.language_models.loading import load_tokenizer

PIECE_CHARACTERS = 100_000
"""Longer documents are tokenised in pieces cut at white space, so that one book fits."""
LENGTH_BOUNDS = (100, 200, 300, 500, 750, 1000, None)


def split_text(text: str) -> Iterator[str]:
    """Cut a long text into pieces before white space, so that words stay whole."""
    start = 0
    while len(text) - start > PIECE_CHARACTERS:
        end = start + PIECE_CHARACTERS
        newline = text.rfind("\n", start + PIECE_CHARACTERS // 2, end)
        space = text.rfind(" ", start + PIECE_CHARACTERS // 2, end)
        cut = newline if newline > start else space if space > start else end
        yield text[start:cut]
        start = cut
    yield text[start:]


def is_heldout(text: str, percent: float) -> bool:
    """Decide a document's split by a hash of its text, so that it never depends on order."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < percent / 100 * 2**64


def encode_batch(tokenizer: Any, texts: list[str]) -> list[npt.NDArray[np.int32]]:
    """Tokenise several texts at once without adding special tokens."""
    if not texts:
        return []
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        encoded = tokenizer(texts, add_special_tokens=False)["input_ids"]
        return [np.array(ids, dtype=np.int32) for ids in encoded]
    backend.encode_special_tokens = True
    encodings = backend.encode_batch_fast(texts, add_special_tokens=False)
    return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]


def length_histogram(lengths: npt.NDArray[np.int64]) -> list[dict[str, int | None]]:
    """Count documents per length: each entry up to and including ``up_to`` tokens."""
    counts, low = [], 0
    for bound in LENGTH_BOUNDS:
        high = np.inf if bound is None else bound
        counts.append({"up_to": bound, "count": int(((lengths > low) & (lengths <= high)).sum())})
        low = int(high) if bound is not None else low
    return counts


def preview_tokens(text: str, tokenizer_dir: Path) -> list[dict[str, Any]]:
    """Return the tokens of a short text as ``{"id", "text"}``, for a preview."""
    tokenizer = load_tokenizer(tokenizer_dir)
    ids = [int(i) for i in encode_batch(tokenizer, [text])[0]] if text else []
    return [{"id": i, "text": tokenizer.decode([i])} for i in ids]
