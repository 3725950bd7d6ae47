"""Length statistics of a corpus."""

from typing import Any

import numpy as np
import numpy.typing as npt

# Upper ends of the histogram's bars, in characters; the last bar is open.
CHARACTER_EDGES = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000)


def length_statistics(lengths: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Describe document lengths in characters.

    Args:
        lengths: One length per document, at least one.
    """
    return {
        "n_documents": int(lengths.size),
        "n_characters": int(lengths.sum()),
        "mean_characters": float(lengths.mean()),
        "min_characters": int(lengths.min()),
        "median_characters": float(np.median(lengths)),
        "max_characters": int(lengths.max()),
        "character_histogram": length_histogram(lengths, CHARACTER_EDGES),
    }


def length_histogram(
    lengths: npt.NDArray[np.int64], edges: tuple[int, ...]
) -> list[dict[str, int | None]]:
    """Counts per half-open bucket ``[lower, upper)``; the last has no upper end."""
    bounds = (0, *edges)
    index = np.searchsorted(np.asarray(edges), lengths, side="right")
    counts = np.bincount(index, minlength=len(bounds))
    uppers: tuple[int | None, ...] = (*edges, None)
    return [
        {"lower": lower, "upper": upper, "count": int(count)}
        for lower, upper, count in zip(bounds, uppers, counts, strict=True)
    ]
