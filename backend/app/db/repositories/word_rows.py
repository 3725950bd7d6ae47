"""Rows of ``feature_tokens`` in COPY's binary format: twenty per feature, so cheap ones."""

import struct
from typing import NamedTuple
from uuid import UUID

from app.db.repositories.copying import text_bytes

COLUMNS = ("training_id", "feature_id", "kind", "rank", "word", "token", "weight")
MAX_CHARACTERS = 200
_HEAD = struct.Struct("!hi16siqi")
_RANK = struct.Struct("!ihi")
_SIZE = struct.Struct("!i")
_WEIGHT = struct.Struct("!id")


class WordRow(NamedTuple):
    """A token that a feature fires on or promotes; what search compares is made of it."""

    feature_id: int
    kind: str
    rank: int
    token: str
    weight: float


def encode_word(training_id: UUID, row: WordRow) -> bytes:
    """One row of COPY's binary format, tokens cut to what their column holds."""
    kind, shown = row.kind.encode(), row.token[:MAX_CHARACTERS]
    token = text_bytes(shown)
    # Lower case may be longer than what it was made of.
    word = text_bytes((shown.strip().lower() or shown)[:MAX_CHARACTERS])
    return b"".join(
        (
            _HEAD.pack(len(COLUMNS), 16, training_id.bytes, 8, row.feature_id, len(kind)), kind,
            _RANK.pack(2, row.rank, len(word)), word, _SIZE.pack(len(token)), token,
            _WEIGHT.pack(8, row.weight),
        )
    )  # fmt: skip
