"""How far two generated texts, and the models behind them, are apart."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence

import torch

from app.ml.steering.records import GeneratedText, GeneratedToken, PairMetrics, TextMetrics

WORD = re.compile(r"\w+")


def text_metrics(generated: GeneratedText, promoted: frozenset[int] | None) -> TextMetrics:
    """Measure one text; every figure is defined in ``METRIC_DEFINITIONS``.

    Args:
        generated: At least one token.
        promoted: Tokens that the steered features promote; None when there are none.
    """
    tokens = generated.tokens
    ids = [token.token_id for token in tokens]
    kl = torch.tensor([token.kl for token in tokens], dtype=torch.float64)
    p50, p95 = torch.quantile(kl, torch.tensor([0.5, 0.95], dtype=torch.float64)).tolist()
    activations = [token.activations for token in tokens]
    achieved = [token.achieved for token in tokens]
    return TextMetrics(
        kl_mean=kl.mean().item(),
        kl_p50=p50,
        kl_p95=p95,
        perplexity=_perplexity(tokens),
        distinct_2=distinct_2(ids),
        repeated_3=repeated_3(ids),
        promoted_share=promoted_share(tokens, promoted),
        activation_mean=_columns(activations, _mean),
        activation_max=_columns(activations, max),
        achieved_mean=_columns(achieved, _mean),
        achieved_max=_columns(achieved, max),
        n_tokens=len(tokens),
    )


def pair_metrics(
    unsteered: GeneratedText,
    steered: GeneratedText,
    states: tuple[torch.Tensor, torch.Tensor],
    embedding_similarity: float | None,
) -> PairMetrics:
    """Compare a text with the unsteered one; ``states`` are the sums of their hidden states."""
    ids = [[token.token_id for token in text.tokens] for text in (unsteered, steered)]
    return PairMetrics(
        similarity=torch.cosine_similarity(*states, dim=0).clamp(-1, 1).item(),
        embedding_similarity=embedding_similarity,
        word_overlap=word_overlap(unsteered.text, steered.text),
        first_divergence=first_divergence(*ids),
    )


def _columns(rows: list[list[float]], measure: Callable[[Sequence[float]], float]) -> list[float]:
    return [measure(column) for column in zip(*rows, strict=True)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _perplexity(tokens: Sequence[GeneratedToken]) -> float:
    return math.exp(min(-sum(t.base_logprob for t in tokens) / len(tokens), 700.0))


def promoted_share(
    tokens: Sequence[GeneratedToken], promoted: frozenset[int] | None
) -> float | None:
    """Return the share of tokens that are in ``promoted``."""
    if promoted is None:
        return None
    return sum(token.token_id in promoted for token in tokens) / len(tokens)


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())


def word_overlap(first: str, second: str) -> float:
    """Return the Jaccard overlap of distinct words; 1 for two texts without any."""
    one, two = set(words_of(first)), set(words_of(second))
    return len(one & two) / len(one | two) if one | two else 1.0


# Both count tokens, not words: too strong a feature often repeats one piece without a space, which
# is a single word however long, and some scripts put no spaces at all.
def distinct_2(ids: Sequence[int]) -> float:
    """Return distinct token pairs / token pairs; 1 when there is no pair."""
    pairs = list(itertools.pairwise(ids))
    return len(set(pairs)) / len(pairs) if pairs else 1.0


def repeated_3(ids: Sequence[int]) -> float:
    """Return the share of token triples that occurred before; 0 when there is none."""
    triples = list(zip(ids, ids[1:], ids[2:], strict=False))
    return 1 - len(set(triples)) / len(triples) if triples else 0.0


def first_divergence(first: list[int], second: list[int]) -> int | None:
    """Return the index of the first token that differs, None for equal texts."""
    for index, (one, two) in enumerate(zip(first, second, strict=False)):
        if one != two:
            return index
    return None if len(first) == len(second) else min(len(first), len(second))
