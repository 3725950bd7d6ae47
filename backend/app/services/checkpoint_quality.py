"""Which checkpoint of a training is the best, by what was measured when it was saved."""

from collections.abc import Sequence

from app.db.models import Checkpoint


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
