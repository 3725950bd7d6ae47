"""From a finished pass to one record per feature."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.ml.feature_discovery.co_firing import CoFiring, measure_co_firing
from app.ml.feature_discovery.coherence import Coherence
from app.ml.feature_discovery.contexts import ContextReader
from app.ml.feature_discovery.labels import Evidence, Label, context_words, make_label
from app.ml.feature_discovery.layout import Layout, lay_out
from app.ml.feature_discovery.logit_lens import NO_LENS_HOOKS, LogitEffects, logit_effects
from app.ml.feature_discovery.neighbours import Neighbours, encoder_decoder_cosines, nearest
from app.ml.feature_discovery.streaming import DiscoveryPass
from app.ml.feature_discovery.token_counts import TokenTable
from app.ml.feature_discovery.token_scores import TokenScores, score_tokens
from app.ml.feature_discovery.top_contexts import ChosenContexts, choose_distinct
from app.ml.language_models.loading import LoadedModel
from app.ml.records import FeatureRecord, LogitEffect, Relation, TokenEvidence

SHOWN_TOKENS = 10
LABEL_CONTEXTS = 20
BACKGROUND_CONTEXTS = 500


@dataclass(frozen=True)
class Findings:
    """Everything measured on all features together, before it is told feature by feature."""

    table: TokenTable
    scores: list[TokenScores]
    co_firing: CoFiring
    decoder: Neighbours
    encoder: Neighbours
    own_cosines: npt.NDArray[np.float32] | None
    lens: LogitEffects | None
    layout: Layout | None


def find_relations(
    run: DiscoveryPass, loaded: LoadedModel | None, written: tuple[int, str], reader: ContextReader
) -> Findings:
    """Measure tokens, pairs, neighbours, promoted tokens and the map.

    ``written`` are the block and the hook type that the dictionary writes.
    """
    sae, config = run.sae, run.config
    table = run.token_counts.table()
    lens = None
    if loaded is not None and written[1] not in NO_LENS_HOOKS and config.logit_lens_tokens:
        lens = logit_effects(loaded, sae.W_dec_FD, config.logit_lens_tokens, *written)
    return Findings(
        table=table,
        scores=score_tokens(table, sae.d_sae, config.seed),
        co_firing=measure_co_firing(
            reader.firings, sae.d_sae, config.co_firing_tokens, config.partners
        ),
        decoder=nearest(sae.W_dec_FD, config.partners),
        encoder=nearest(sae.W_enc_DF.T, config.partners),
        own_cosines=encoder_decoder_cosines(sae.W_enc_DF, sae.W_dec_FD),
        lens=lens,
        layout=lay_out(sae.W_dec_FD, config.layout, config.seed),
    )


class Describer:
    """Tells what was found, one feature at a time."""

    def __init__(
        self, run: DiscoveryPass, findings: Findings, reader: ContextReader,
        text_of: Callable[[int], str],
    ) -> None:  # fmt: skip
        self.run, self.found, self.reader, self.text_of = run, findings, reader, text_of
        self._bounds = findings.table.bounds(run.sae.d_sae)
        self._background = self._count_background()

    def choose(self, index: int) -> ChosenContexts:
        """Choose the strongest contexts of a feature, copies left out."""
        run = self.run
        candidates = run.top.of(index)
        rows = candidates["row"].astype(np.int64)
        documents = run.tokens.documents_at(run.store.indices["token"][rows].astype(np.int64))
        texts = self.reader.texts(rows)
        wanted = run.config.examples_per_feature
        return choose_distinct(rows, candidates["value"], documents, texts, wanted)

    def record(
        self, index: int, contexts: ChosenContexts, coherence: Coherence | None = None
    ) -> FeatureRecord:
        """Describe one feature."""
        counters, found = self.run.counters, self.found
        fires = int(counters.fires_F[index])
        mean = counters.sum_F[index].item() / max(fires, 1)
        square = counters.squares_F[index].item() / max(fires, 1)
        evidence = self._tokens(index)
        lens = None if found.lens is None else _lens(found.lens, index, self.text_of)
        label = self._label(evidence, fires, contexts, lens)
        scores, details = self._scores(index)
        if coherence is not None:
            scores["coherence"] = coherence.whole.area
            details["coherence"] = {
                "interval": coherence.whole.interval, "null": coherence.null,
                "n_fit": coherence.n_fit, "n_test": coherence.whole.n_own,
                "n_others": coherence.whole.n_others,
                "against": {kind: vars(found) for kind, found in coherence.kinds.items()},
            }  # fmt: skip
        place = None if found.layout is None else found.layout.places[index].tolist()
        return FeatureRecord(
            index=index,
            activation_frequency=fires / max(counters.n_tokens, 1),
            n_fires=fires,
            mean_activation=mean,
            deviation=max(square - mean * mean, 0.0) ** 0.5,
            max_activation=counters.max_F[index].item(),
            quantiles=counters.quantiles(index),
            histogram=counters.histogram(index),
            intervals=counters.octaves(index),
            label=label.text,
            label_source=label.source,
            top_tokens=evidence,
            rule_tokens=[self.text_of(i) for i in found.scores[index].rule],
            logit_lens=lens,
            correlated=[Relation(**vars(p)) for p in found.co_firing.partners[index]],
            decoder_neighbours=_neighbours(found.decoder, index),
            encoder_neighbours=_neighbours(found.encoder, index),
            scores=scores,
            score_details=details,
            place=None if place is None else (place[0], place[1]),
            cluster=None if found.layout is None else int(found.layout.clusters[index]),
            n_examples=len(contexts.rows),
        )

    def _tokens(self, index: int) -> list[TokenEvidence]:
        low, high = self._bounds[index], self._bounds[index + 1]
        table = self.found.table
        sums = table.sums[low:high]
        mass = max(float(sums.sum()), 1e-30)
        shown = low + np.argsort(-sums, kind="stable")[:SHOWN_TOKENS]
        counts = table.counts[shown].sum(axis=1)
        totals = np.maximum(table.totals[table.tokens[shown]].sum(axis=1), 1)
        columns = (table.tokens[shown], counts, table.sums[shown], totals)
        return [
            TokenEvidence(self.text_of(i), i, n, total / n, total / mass, n / seen)
            for i, n, total, seen in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def _label(
        self,
        evidence: list[TokenEvidence],
        fires: int,
        contexts: ChosenContexts,
        lens: dict[str, list[LogitEffect]] | None,
    ) -> Label:
        rows = contexts.rows[:LABEL_CONTEXTS]
        return make_label(
            Evidence(
                tokens=evidence,
                n_fires=fires,
                following=self.reader.following(rows),
                promoted=[effect.token for effect in lens["top"]] if lens else [],
                contexts=lambda: self.reader.words(rows),
            ),
            self._background,
        )

    def _count_background(self) -> Callable[[str], float]:
        """Share of evenly chosen contexts that hold a word."""
        rows = self.run.read_rows
        n = min(BACKGROUND_CONTEXTS, len(rows))
        chosen = rows[((np.arange(n) + 0.5) * len(rows) / max(n, 1)).astype(np.int64)]
        counts = Counter(w for text in self.reader.words(chosen) for w in context_words(text))
        return lambda word: (counts[word] + 0.5) / (n + 1)

    def _scores(self, index: int) -> tuple[dict[str, float], dict[str, Any]]:
        found, tokens = self.found, self.found.scores[index]
        partners = found.co_firing.partners[index]
        kurtosis = None if found.lens is None else float(found.lens.kurtosis_F[index])
        measured = {
            "token_concentration": tokens.top_share,
            "effective_tokens": tokens.effective_tokens,
            "token_entropy": tokens.entropy,
            "token_rule": tokens.accuracy,
            "context_shift": tokens.context_shift,
            "logit_kurtosis": kurtosis,
            "nearest_cosine": float(found.decoder.cosines[index, 0])
            if found.decoder.cosines.shape[1] else None,
            "max_jaccard": max((p.jaccard for p in partners), default=None),
            "encoder_decoder_cosine": None if found.own_cosines is None
            else float(found.own_cosines[index]),
        }  # fmt: skip
        details = {
            "token_rule": {
                "interval": tokens.interval, "null": tokens.null_accuracy,
                "n_fires": tokens.n_fires,
            }
        }  # fmt: skip
        return {k: v for k, v in measured.items() if v is not None}, details


def _lens(effects: LogitEffects, index: int, text_of: Any) -> dict[str, list[LogitEffect]]:
    def entries(ids: npt.NDArray[Any], logits: npt.NDArray[Any]) -> list[LogitEffect]:
        pairs = zip(ids[index].tolist(), logits[index].tolist(), strict=True)
        return [LogitEffect(text_of(i), i, value) for i, value in pairs]

    return {
        "top": entries(effects.top_ids, effects.top_logits),
        "bottom": entries(effects.bottom_ids, effects.bottom_logits),
    }


def _neighbours(found: Neighbours, index: int) -> list[Relation]:
    pairs = zip(found.indices[index].tolist(), found.cosines[index].tolist(), strict=True)
    return [Relation(i, cosine=cosine) for i, cosine in pairs]
