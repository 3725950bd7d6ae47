"""From a sweep's texts to figures and scores."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from app.ml.steering.sweep_records import RowFigures
from app.ml.steering.sweep_trials import Sample


def row_figures(samples: Sequence[Sample], place: int) -> RowFigures:
    """Average the samples of one trial, at least one; ``place`` is its feature among all."""
    metrics = [sample.metrics for sample in samples]
    base = [sample.unsteered_metrics for sample in samples]
    pairs = [sample.pair for sample in samples]
    proofs = [proof for s in samples if (proof := s.text.proof) is not None]
    return RowFigures(
        n_texts=len(samples),
        kl_mean=_mean([m.kl_mean for m in metrics]),
        kl_p50=_mean([m.kl_p50 for m in metrics]),
        kl_p95=_mean([m.kl_p95 for m in metrics]),
        perplexity=_geometric([m.perplexity for m in metrics]),
        perplexity_unsteered=_geometric([m.perplexity for m in base]),
        distinct_2=_mean([m.distinct_2 for m in metrics]),
        distinct_2_unsteered=_mean([m.distinct_2 for m in base]),
        repeated_3=_mean([m.repeated_3 for m in metrics]),
        activation=_mean([m.activation_mean[place] for m in metrics]),
        activation_max=max(m.activation_max[place] for m in metrics),
        achieved=_mean([m.achieved_mean[place] for m in metrics]),
        promoted_share=_known([m.promoted_share for m in metrics]),
        similarity=_mean([p.similarity for p in pairs]),
        embedding_similarity=_known([p.embedding_similarity for p in pairs]),
        word_overlap=_mean([p.word_overlap for p in pairs]),
        first_divergence=_known([p.first_divergence for p in pairs]),
        n_tokens=_mean([m.n_tokens for m in metrics]),
        ended_share=_mean([sample.text.ended == "eos" for sample in samples]),
        mean_delta_norm_ratio=_known([p.mean_delta_norm_ratio for p in proofs]),
        positions_touched=_known([p.positions_touched for p in proofs]),
    )


@dataclass(frozen=True)
class Scale:
    """Scores rows by one of ``configs.sweep.CRITERIA``; ``largest`` activation of all rows."""

    criterion: str
    largest: float

    @classmethod
    def over(cls, criterion: str, rows: Sequence[RowFigures]) -> Scale:
        return cls(criterion, max((row.activation for row in rows), default=0.0))

    def score(self, row: RowFigures) -> float:
        if self.criterion == "activation":
            return row.activation
        if self.criterion == "promoted_share":
            return row.promoted_share or 0.0
        concept = min(1.0, row.activation / self.largest) if self.largest > 0 else 0.0
        both = concept + fluency(row)
        return 2 * concept * fluency(row) / both if both > 0 else 0.0


def fluency(row: RowFigures) -> float:
    """Return how well the text still reads, 0 to 1; definition in ``configs.sweep.CRITERIA``."""
    variety = row.distinct_2 / row.distinct_2_unsteered if row.distinct_2_unsteered > 0 else 1.0
    return min(1.0, row.perplexity_unsteered / row.perplexity) * min(1.0, variety)


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values)


def _known(values: Sequence[float | None]) -> float | None:
    """Return the mean of what was measured."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _geometric(values: Sequence[float]) -> float:
    return math.exp(statistics.fmean(math.log(value) for value in values))
