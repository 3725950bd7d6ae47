"""How far tokens alone explain a feature: measured on documents that the rule has not seen."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.ml.feature_discovery.forked import map_ranges
from app.ml.feature_discovery.token_counts import FIT, TEST, TokenTable

MAX_RULE_TOKENS = 16
MIN_TEST_FIRES = 10
Z_95 = 1.959964
LATENTS_AT_ONCE = 256
MAX_DEALT = 200_000
"""Firings dealt out for a null; more would only narrow it."""


@dataclass(frozen=True)
class TokenScores:
    """Scores of one feature; None where too little was seen to say anything.

    Attributes:
        top_share: Share of the activation mass on the strongest token.
        effective_tokens: 1 / sum p^2 of the mass p per token.
        entropy: Of the mass over tokens, divided by the log of their number; 0 .. 1.
        rule: Tokens of the rule "fires iff the token is one of these", chosen on the fit half.
        accuracy: Balanced accuracy of the rule on the test half.
        interval: Its 95 % interval.
        null_accuracy: Of a rule made the same way from firings dealt out at random.
        context_shift: Share of the rule tokens' occurrences on the test half without a firing:
            1 where the token says nothing, 0 where it says all.
        n_fires: Firings on the test half.
    """

    top_share: float | None = None
    effective_tokens: float | None = None
    entropy: float | None = None
    rule: tuple[int, ...] = ()
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    null_accuracy: float | None = None
    context_shift: float | None = None
    n_fires: int = 0


def score_tokens(table: TokenTable, n_latents: int, seed: int) -> list[TokenScores]:
    """Score every feature.

    Balanced accuracy is a sum over the rule's tokens, so the best rule of up to
    ``MAX_RULE_TOKENS`` is the tokens with the highest gain on the fit half, found without a
    search. It is judged on every token of the test half's documents, not on a sample. The null
    deals the same number of firings to random tokens: what a rule reaches by its own flexibility.
    Copies of this process share the work where torch has several threads.
    """
    bounds = table.bounds(n_latents).tolist()
    null = _Null(table.totals, seed)

    def score(first: int, last: int) -> list[TokenScores]:
        return [_score(table, bounds[i], bounds[i + 1], null) for i in range(first, last)]

    return list(itertools.chain.from_iterable(map_ranges(score, n_latents, LATENTS_AT_ONCE)))


def _score(table: TokenTable, low: int, high: int, null: _Null) -> TokenScores:
    """Score the latent whose entries are ``low`` to before ``high``."""
    if low == high:
        return TokenScores()
    tokens, counts = table.tokens[low:high], table.counts[low:high]
    mass = table.sums[low:high].astype(np.float64)
    rule = _choose_rule(tokens, counts[:, FIT], table.totals[:, FIT])
    judged = _judge(tokens, counts[:, TEST], table.totals[:, TEST], rule)
    return TokenScores(
        **_concentration(mass / max(mass.sum(), 1e-30)),
        **judged,
        rule=tuple(rule.tolist()),
        null_accuracy=None if judged["accuracy"] is None else null.of(counts.sum(axis=0)),
    )


def _concentration(p: npt.NDArray[np.float64]) -> dict[str, Any]:
    entropy = float(-(p * np.log(np.maximum(p, 1e-300))).sum())
    return {
        "top_share": float(p.max()),
        "effective_tokens": float(1 / (p**2).sum()),
        "entropy": max(entropy, 0.0) / math.log(len(p)) if len(p) > 1 else 0.0,
    }


def _choose_rule(
    tokens: npt.NDArray[np.int64], fires: npt.NDArray[np.int64], totals: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    positives = int(fires.sum())
    negatives = int(totals.sum()) - positives
    if not positives or negatives <= 0:
        return np.empty(0, dtype=np.int64)
    gain = fires / positives - (totals[tokens] - fires) / negatives
    best = np.argsort(-gain, kind="stable")[:MAX_RULE_TOKENS]
    return tokens[best[gain[best] > 0]]


def _judge(
    tokens: npt.NDArray[np.int64],
    fires: npt.NDArray[np.int64],
    totals: npt.NDArray[np.int64],
    rule: npt.NDArray[np.int64],
) -> dict[str, Any]:
    positives = int(fires.sum())
    negatives = int(totals.sum()) - positives
    if positives < MIN_TEST_FIRES or negatives < MIN_TEST_FIRES or not len(rule):
        return {"accuracy": None, "interval": None, "context_shift": None, "n_fires": positives}
    hits = int(fires[np.isin(tokens, rule)].sum())
    seen = int(totals[rule].sum())
    recall, specificity = hits / positives, 1 - (seen - hits) / negatives
    accuracy = (recall + specificity) / 2
    half = Z_95 * math.sqrt(_variance(hits, positives) + _variance(seen - hits, negatives)) / 2
    return {
        "accuracy": accuracy,
        "interval": (max(accuracy - half, 0.0), min(accuracy + half, 1.0)),
        "context_shift": (seen - hits) / seen if seen else None,
        "n_fires": positives,
    }


def _variance(successes: int, n: int) -> float:
    """Of a share, with Agresti and Coull's two added successes and failures."""
    p = (successes + 2) / (n + 4)
    return p * (1 - p) / (n + 4)


class _Null:
    """Rules made of firings that fall anywhere; one per order of magnitude of their number."""

    def __init__(self, totals: npt.NDArray[np.int64], seed: int) -> None:
        self._totals, self._seed = totals, seed
        self._ends = np.cumsum(totals, axis=0)
        self._known: dict[tuple[int, int], float] = {}

    def of(self, n_fires: npt.NDArray[np.int64]) -> float:
        sizes = (int(n_fires[FIT]).bit_length(), int(n_fires[TEST]).bit_length())
        if sizes not in self._known:
            self._known[sizes] = self._measure(sizes)
        return self._known[sizes]

    def _measure(self, sizes: tuple[int, int]) -> float:
        random = np.random.default_rng((self._seed, *sizes))
        dealt = np.stack([self._deal(sizes[half], half, random) for half in (FIT, TEST)], axis=1)
        tokens = np.flatnonzero(dealt.sum(axis=1))
        rule = _choose_rule(tokens, dealt[tokens, FIT], self._totals[:, FIT])
        accuracy = _judge(tokens, dealt[tokens, TEST], self._totals[:, TEST], rule)["accuracy"]
        return accuracy if isinstance(accuracy, float) else 0.5

    def _deal(self, size: int, half: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return how many of about 1.5 x 2^(size - 1) firings fall on each token."""
        n = min(3 * 2**size // 4, int(self._ends[-1, half]), MAX_DEALT)
        places = random.integers(0, max(self._ends[-1, half], 1), size=n)
        tokens = np.searchsorted(self._ends[:, half], places, side="right")
        return np.minimum(np.bincount(tokens, minlength=len(self._ends)), self._totals[:, half])
