"""Labels from token evidence: what a feature peaks on, never a concept that nobody measured."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from app.ml.records import TokenEvidence

SINGLE_SHARE = 0.5
"""One token carries the label when it is the peak of at least this share of the contexts."""
TOGETHER_SHARE = 0.5
MAX_TOGETHER = 3
MIN_COUNT = 2
MAX_TOKENS = 10


def token_evidence(
    token_ids: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
    text_of: Callable[[int], str],
) -> list[TokenEvidence]:
    """Count the peak tokens of a feature's strongest contexts, the most frequent first."""
    ids, counts = np.unique(token_ids, return_counts=True)
    sums = [values[token_ids == i].mean() for i in ids]
    evidence = [
        TokenEvidence(text_of(int(i)), int(i), int(n), float(mean))
        for i, n, mean in zip(ids, counts, sums, strict=True)
    ]
    evidence.sort(key=lambda e: (-e.count, -e.mean_activation))
    return evidence[:MAX_TOKENS]


def make_label(evidence: list[TokenEvidence], n_contexts: int) -> str:
    """Return ``token " healing"``, ``tokens " heal", "Heal"`` or an empty string.

    Spellings that differ in case or surrounding space count together, as one word.
    """
    groups: dict[str, list[TokenEvidence]] = {}
    for entry in evidence:
        groups.setdefault(entry.token.strip().lower() or entry.token, []).append(entry)
    ranked = sorted(groups.values(), key=lambda g: -sum(e.count for e in g))
    if not ranked or n_contexts < MIN_COUNT:
        return ""
    sizes = [sum(e.count for e in group) for group in ranked]
    if sizes[0] >= max(SINGLE_SHARE * n_contexts, MIN_COUNT):
        return f"token {_quoted(ranked[0][0].token)}"
    recurring = [g for g, size in zip(ranked, sizes, strict=True) if size >= MIN_COUNT]
    together = recurring[:MAX_TOGETHER]
    if sum(sum(e.count for e in g) for g in together) >= TOGETHER_SHARE * n_contexts:
        return "tokens " + ", ".join(_quoted(g[0].token) for g in together)
    return ""


def _quoted(token: str) -> str:
    shown = token.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return f'"{shown}"'
