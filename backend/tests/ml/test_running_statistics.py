"""What a pass keeps while it streams, against looking at everything at once."""

import numpy as np
import pytest
import torch

from app.ml.feature_discovery.interval_samples import IntervalSamples
from app.ml.feature_discovery.statistics import FeatureCounters
from app.ml.feature_discovery.top_contexts import (
    TopContexts,
    best_per_window,
    choose_distinct,
    rank_within,
)


def test_quantiles_of_known_values() -> None:
    counters = FeatureCounters(2)
    values = torch.linspace(1, 100, 1000)
    for part in values.split(300):
        counters.add(len(part), torch.zeros(len(part), dtype=torch.int64), part)
    counters.add(5, torch.empty(0, dtype=torch.int64), torch.empty(0))
    found = counters.quantiles(0)
    assert found["p50"] == pytest.approx(50, rel=0.09)
    assert found["p99"] == pytest.approx(99, rel=0.09)
    assert counters.n_tokens == 1005
    assert counters.quantiles(1)["p50"] == 0
    assert counters.histogram(1) == {"edges": [], "counts": []}
    assert sum(counters.histogram(0)["counts"]) == 1000


def test_streaming_top_contexts_equal_sorting_everything() -> None:
    random = np.random.default_rng(0)
    n = 20_000
    latents = random.integers(0, 7, n)
    values = random.random(n).astype(np.float32)
    rows = np.arange(n)
    windows = (rows // 10).astype(np.int32)
    top = TopContexts(8, 5)
    for part in np.array_split(rows, 13):
        top.add(latents[part], values[part], part, windows[part])
    for latent in range(7):
        best: dict[int, float] = {}
        for row in rows[latents == latent]:
            best[windows[row]] = max(best.get(windows[row], 0), float(values[row]))
        expected = sorted(best.values(), reverse=True)[:5]
        assert top.kept[top.kept["latent"] == latent]["value"].tolist() == expected
    assert not (top.kept["latent"] == 7).any()
    assert rank_within(np.array([])).tolist() == []
    assert len(best_per_window(top.kept[:0])) == 0


def test_other_documents_and_other_words_come_first() -> None:
    rows = np.arange(5)
    values = np.array([5, 4, 3, 2, 1], np.float32)
    documents = np.array([1, 1, 2, 2, 3])
    texts = [b"a", b"b", b"a", b"c", b"d"]
    chosen = choose_distinct(rows, values, documents, texts, 3)
    # 2 repeats a text; 0, 3, 4 are one per document; 1 would be the next.
    assert chosen.rows.tolist() == [0, 3, 4]
    assert choose_distinct(rows, values, documents, texts, 9).rows.tolist() == [0, 1, 3, 4]


def test_samples_do_not_depend_on_the_order() -> None:
    random = np.random.default_rng(1)
    n = 5000
    latents, rows = random.integers(0, 3, n), np.arange(n)
    values = random.lognormal(0, 2, n).astype(np.float32)
    found = []
    for order in (rows, rows[::-1], random.permutation(n)):
        samples = IntervalSamples(3, 2, seed=7)
        for part in np.array_split(order, 9):
            samples.add(latents[part], values[part], part, (part // 4).astype(np.int32))
        found.append([[a.tolist() for a in samples.of(latent)] for latent in range(3)])
    assert found[0] == found[1] == found[2]
    other = IntervalSamples(3, 2, seed=8)
    other.add(latents, values, rows, (rows // 4).astype(np.int32))
    assert other.of(0)[0].tolist() != found[0][0][0]
