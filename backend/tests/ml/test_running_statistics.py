"""What a pass keeps while it streams, against looking at everything at once."""

import numpy as np
import pytest
import torch

from app.ml.feature_discovery import top_contexts
from app.ml.feature_discovery.interval_samples import IntervalSamples, hash_keys
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
        top.add(*map(torch.from_numpy, (latents[part], values[part], part, windows[part])))
    for latent in range(7):
        best: dict[int, float] = {}
        for row in rows[latents == latent]:
            best[windows[row]] = max(best.get(windows[row], 0), float(values[row]))
        expected = sorted(best.values(), reverse=True)[:5]
        assert top.kept[top.kept["latent"] == latent]["value"].tolist() == expected
    assert not (top.kept["latent"] == 7).any()
    assert rank_within(torch.tensor([], dtype=torch.int64), 3).tolist() == []
    assert rank_within(torch.tensor([0, 0, 2, 2, 2]), 3).tolist() == [0, 1, 0, 1, 2]
    nothing = torch.empty(0)
    assert len(best_per_window(nothing.int(), nothing.int(), nothing)) == 0


@pytest.mark.parametrize("waiting", [0, 50, 10**6])
def test_when_candidates_are_sorted_does_not_matter(
    waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values of a few sizes, so that many are equal; windows that lie in two parts."""
    monkeypatch.setattr(top_contexts, "MIN_WAITING", waiting)
    random = np.random.default_rng(2)
    n = 3000
    latents, rows = random.integers(0, 4, n), np.arange(n)
    values, windows = random.integers(-9, 9, n).astype(np.float32), (rows // 7).astype(np.int32)
    top = TopContexts(4, 6, floor=-np.inf)
    for part in np.array_split(rows, 11):
        top.add(*map(torch.from_numpy, (latents[part], values[part], part, windows[part])))
        if part[0] % 2:
            state = top.state()
            top = TopContexts(4, 6, floor=-np.inf)
            top.restore(state)
    for latent in range(4):
        best: dict[int, tuple[float, int]] = {}
        for row in rows[latents == latent].tolist():
            seen = best.get(windows[row])
            if seen is None or values[row] > -seen[0]:
                best[windows[row]] = (-float(values[row]), row)
        expected = [row for _, row in sorted(best.values())[:6]]
        assert top.of(latent)["row"].tolist() == expected


def test_other_documents_and_other_words_come_first() -> None:
    rows = np.arange(5)
    values = np.array([5, 4, 3, 2, 1], np.float32)
    documents = np.array([1, 1, 2, 2, 3])
    texts = [b"a", b"b", b"a", b"c", b"d"]
    chosen = choose_distinct(rows, values, documents, texts, 3)
    # 2 repeats a text; 0, 3, 4 are one per document; 1 would be the next.
    assert chosen.rows.tolist() == [0, 3, 4]
    assert choose_distinct(rows, values, documents, texts, 9).rows.tolist() == [0, 1, 3, 4]


def test_draws_are_those_of_splitmix() -> None:
    latents, rows = np.array([0, 5, 24_575]), np.array([0, 7, 3_000_000_000])
    mixed = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    offset = np.uint64((7 * 0x94D049BB133111EB + 1) % 2**64)
    mixed ^= (latents.astype(np.uint64) + offset) * np.uint64(0xBF58476D1CE4E5B9)
    for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
        mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    expected = ((mixed >> np.uint64(40)).astype(np.float64) + 1) / 2**24
    found = hash_keys(torch.from_numpy(latents), torch.from_numpy(rows), 7)
    assert found.tolist() == expected.astype(np.float32).tolist()


def test_samples_do_not_depend_on_the_order() -> None:
    random = np.random.default_rng(1)
    n = 5000
    latents, rows = random.integers(0, 3, n), np.arange(n)
    values = random.lognormal(0, 2, n).astype(np.float32)
    found = []
    for order in (rows, rows[::-1], random.permutation(n)):
        samples = IntervalSamples(3, 2, seed=7)
        for part in np.array_split(order, 9):
            columns = (
                latents[part],
                values[part].copy(),
                part.copy(),
                (part // 4).astype(np.int32),
            )
            samples.add(*map(torch.from_numpy, columns))
        found.append([[a.tolist() for a in samples.of(latent)] for latent in range(3)])
    assert found[0] == found[1] == found[2]
    other = IntervalSamples(3, 2, seed=8)
    other.add(*map(torch.from_numpy, (latents, values, rows, (rows // 4).astype(np.int32))))
    assert other.of(0)[0].tolist() != found[0][0][0]
