"""Turning token ids into text piece by piece, so that the pieces add up to the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
CONTEXT_TOKENS = 6


class TextPieces:
    """One text as it grows.

    A token may be part of a character or lose its leading space when decoded alone. Decoded is a
    window that starts a few tokens back, and a piece is what the window's text grew by; an
    unfinished character is held back for the next token.
    """

    def __init__(self, tokenizer: Any, prompt_ids: list[int]) -> None:
        self._decode = _decoder(tokenizer)
        self._ids = prompt_ids[-CONTEXT_TOKENS:]
        self._start, self._read = 0, len(self._ids)
        self.text = ""

    def add(self, token_id: int) -> str:
        """Return the text that this token adds."""
        self._ids.append(token_id)
        before = self._decode(self._ids[self._start : self._read])
        after = self._decode(self._ids[self._start :])
        if after.endswith(REPLACEMENT):
            return ""
        self._start = max(self._start, self._read - CONTEXT_TOKENS)
        self._read = len(self._ids)
        piece = str(after[len(before) :])
        self.text += piece
        return piece


def _decoder(tokenizer: Any) -> Callable[[list[int]], str]:
    """Return what decodes; the wrapper around a fast tokenizer costs five times the decoding."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or tokenizer.clean_up_tokenization_spaces:
        return lambda ids: str(tokenizer.decode(ids))
    return lambda ids: str(backend.decode(ids, skip_special_tokens=False))
