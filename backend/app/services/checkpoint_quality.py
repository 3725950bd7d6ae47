"""Which checkpoint of a training is the best, by what was measured when it was saved."""

from collections.abc import Sequence

from app.db.models import Checkpoint
from app.schemas.training import CheckpointRead


def quality_of(row: Checkpoint) -> float | None:
    """Explained variance on held-out tokens; None where a store has too few of them."""
    if row.metadata_.get("quality_split") != "heldout":
        return None
    value = row.metadata_.get("quality")
    return float(value) if value is not None else None


def best_of(rows: Sequence[Checkpoint]) -> Checkpoint | None:
    """The checkpoint of the highest quality, the newer one of two alike; the core's own rule.

    None when none was measured.
    """
    measured = [row for row in rows if row.metadata_.get("quality") is not None]
    return max(measured, key=lambda row: (row.metadata_["quality"], row.step), default=None)


def read_all(rows: Sequence[Checkpoint]) -> list[CheckpointRead]:
    """All checkpoints of a training as the API shows them, in the given order."""
    best = best_of(rows)
    return [
        CheckpointRead(
            id=row.id,
            training_id=row.training_id,
            step=row.step,
            loss=row.loss,
            file_path=row.file_path,
            file_size_bytes=row.file_size_bytes,
            reason=row.metadata_.get("reason"),
            l0=row.metadata_.get("l0"),
            explained_variance=row.metadata_.get("quality"),
            quality_split=row.metadata_.get("quality_split"),
            is_best=row is best,
            created_at=row.created_at,
        )
        for row in rows
    ]
