"""Which checkpoints stay: the newest, those asked for, the final one, the best, the recorded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from app.ml.files import remove_folder
from app.ml.records import CheckpointInfo

AUTOMATIC = ("interval", "stop")


def drop_old(
    found: Sequence[CheckpointInfo], newest: Path, keep: int, recorded: int | None = None
) -> list[Path]:
    """Delete automatic checkpoints beyond the newest ``keep``, but never the best of all.

    Args:
        found: Every checkpoint of the run, oldest first.
        newest: The one just written.
        keep: How many automatic ones stay beside the best.
        recorded: Step of the newest one that its owner can find again after a crash. It stays
            too: all that came after it may be unknown to the owner still.

    Returns:
        The folders that were deleted.
    """
    automatic = [checkpoint for checkpoint in found if checkpoint.reason in AUTOMATIC]
    others = [checkpoint for checkpoint in automatic if checkpoint.path != newest]
    best = best_of(found)
    surplus = others[: max(len(automatic) - keep, 0)]
    surplus = [info for info in surplus if info is not best and info.step != recorded]
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
