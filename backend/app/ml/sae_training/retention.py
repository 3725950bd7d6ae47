"""Which checkpoints stay: the newest, those asked for, the final one, and the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from app.ml.files import remove_folder
from app.ml.records import CheckpointInfo

AUTOMATIC = ("interval", "stop")


def drop_old(found: Sequence[CheckpointInfo], newest: Path, keep: int) -> list[Path]:
    """Delete automatic checkpoints beyond the newest ``keep``, but never the best of all.

    Args:
        found: Every checkpoint of the run, oldest first.
        newest: The one just written.
        keep: How many automatic ones stay beside the best.

    Returns:
        The folders that were deleted.
    """
    automatic = [checkpoint for checkpoint in found if checkpoint.reason in AUTOMATIC]
    others = [checkpoint for checkpoint in automatic if checkpoint.path != newest]
    best = best_of(found)
    surplus = others[: max(len(automatic) - keep, 0)]
    surplus = [checkpoint for checkpoint in surplus if checkpoint is not best]
    for checkpoint in surplus:
        remove_folder(checkpoint.path)
    return [checkpoint.path for checkpoint in surplus]


def best_of(found: Sequence[CheckpointInfo]) -> CheckpointInfo | None:
    """Return the checkpoint of the highest quality, the newer one of two alike."""
    if not found:
        return None
    return max(found, key=lambda info: (_quality(info), info.step))


def _quality(info: CheckpointInfo) -> float:
    return -math.inf if info.quality is None else info.quality
