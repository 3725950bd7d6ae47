"""Directions written into the residual stream on known tokens must be found, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from app.ml.activation_extraction import ActivationStore, TokenStore, extract_activations
from app.ml.configs import DiscoveryConfig, ExtractionConfig
from app.ml.feature_discovery import DiscoveryResult, discover_features
from app.ml.feature_discovery.token_counts import TokenCounts, document_halves
from app.ml.feature_discovery.token_scores import score_tokens
from app.ml.files import write_json
from app.ml.language_models import LoadedModel
from tests.ml.conftest import ignore, never

PLACE = (2, "residual")
STRENGTH = 200.0
ONE_TOKEN, SEVERAL, OVERLAPPING, NEVER, ALWAYS = range(5)
CONFIG = DiscoveryConfig(
    coherence_features=0, examples_per_feature=50, layout="none", precision="float32"
)


@pytest.fixture(scope="module")
def planted_tokens(tokens: TokenStore) -> dict[int, list[int]]:
    """Which token ids carry each direction: frequent ones, so that both halves hold them."""
    ids = np.argsort(-np.bincount(tokens.tokens))[20:40].tolist()
    return {ONE_TOKEN: ids[:1], SEVERAL: ids[1:6], OVERLAPPING: ids[4:9]}


@pytest.fixture(scope="module")
def directions(glass: LoadedModel) -> torch.Tensor:
    """Orthogonal directions, each the way to the logit of one token: 100, 101, …"""
    gain_D = glass.model.model.norm.weight.float()
    rows = glass.model.lm_head.weight[100:105].float() * gain_D
    return torch.linalg.qr(rows.T)[0].T * torch.sign(
        (torch.linalg.qr(rows.T)[0].T * rows).sum(1, keepdim=True)
    )


@pytest.fixture(scope="module")
def planted_store(
    glass: LoadedModel, tokens: TokenStore, directions: torch.Tensor,
    planted_tokens: dict[int, list[int]], tmp_path_factory: pytest.TempPathFactory,
) -> ActivationStore:  # fmt: skip
    """Activations of a model that writes the directions at those tokens."""
    seen: dict[str, torch.Tensor] = {}

    def remember(_: Any, args: Any, kwargs: dict[str, Any]) -> None:
        seen["ids"] = kwargs["input_ids"]

    def write(_: Any, __: Any, output: Any) -> Any:
        state = (output[0] if isinstance(output, tuple) else output).clone()
        for feature, ids in planted_tokens.items():
            here = torch.isin(seen["ids"], torch.tensor(ids))
            state[here] += STRENGTH * directions[feature]
        return (state, *output[1:]) if isinstance(output, tuple) else state

    body = glass.body
    hooks = [
        body.register_forward_pre_hook(remember, with_kwargs=True),
        body.get_submodule("layers.2").register_forward_hook(write),
    ]
    path = tmp_path_factory.mktemp("planted") / "store"
    config = ExtractionConfig(
        layers=(2,), hook_types=("residual",), dtype="float32", max_tokens=12_000,
        norm_limit=None,
    )  # fmt: skip
    extract_activations(glass, tokens, path, config, ignore, never)
    for hook in hooks:
        hook.remove()
    return ActivationStore.open(path)


@pytest.fixture(scope="module")
def planted_sae(directions: torch.Tensor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reads each direction beyond half its strength; the last latent fires on everything."""
    path = tmp_path_factory.mktemp("planted-sae")
    bias = torch.full((5,), -STRENGTH / 2)
    bias[NEVER], bias[ALWAYS] = -1e6, 1e4
    save_file(
        {"W_enc_DF": directions.T.contiguous(), "W_dec_FD": directions.contiguous(),
         "b_enc_F": bias, "b_dec_D": torch.zeros(directions.shape[1])},
        path / "sae.safetensors",
    )  # fmt: skip
    write_json(path / "metadata.json", {"activation": "relu", "hook_type": "residual"})
    return path


@pytest.fixture(scope="module")
def found(
    planted_sae: Path, planted_store: ActivationStore, tokens: TokenStore, glass: LoadedModel
) -> DiscoveryResult:
    return discover_features(
        planted_sae, planted_store, tokens, glass, *PLACE, CONFIG, ignore, never
    )


def fires_on(feature: int, planted: dict[int, list[int]], ids: np.ndarray) -> np.ndarray:
    return np.isin(ids, planted.get(feature, []))


def test_frequency_is_the_share_of_planted_tokens(
    found: DiscoveryResult, planted_store: ActivationStore, tokens: TokenStore,
    planted_tokens: dict[int, list[int]],
) -> None:  # fmt: skip
    ids = tokens.tokens[planted_store.indices["token"]]
    for feature in (ONE_TOKEN, SEVERAL, OVERLAPPING, NEVER):
        expected = fires_on(feature, planted_tokens, ids)
        record = found.features[feature]
        assert record.n_fires == expected.sum()
        assert record.activation_frequency == expected.mean()
        assert {t.token_id for t in record.top_tokens} == set(planted_tokens.get(feature, []))
        assert all(t.p_fire == 1 for t in record.top_tokens)
    assert found.features[ALWAYS].activation_frequency == 1
    assert (found.summary.n_dead, found.summary.n_dense) == (1, 1 + sum(
        found.features[f].activation_frequency > 0.1 for f in (ONE_TOKEN, SEVERAL, OVERLAPPING)
    ))  # fmt: skip


def test_contexts_are_exactly_the_planted_places(
    found: DiscoveryResult, planted_tokens: dict[int, list[int]]
) -> None:
    for feature in (ONE_TOKEN, SEVERAL, OVERLAPPING):
        contexts = [*found.examples(feature), *found.samples(feature)]
        assert len(contexts) > 10
        for example in contexts:
            fired = np.array(example.activations) > 0
            assert (
                fired.tolist()
                == fires_on(feature, planted_tokens, np.array(example.token_ids)).tolist()
            )
    assert [c.kind for c in found.contexts(NEVER)] == ["near_miss"] * len(found.near_misses(NEVER))


def test_correlations_are_those_of_the_planted_tokens(
    found: DiscoveryResult, planted_store: ActivationStore, tokens: TokenStore,
    planted_tokens: dict[int, list[int]],
) -> None:  # fmt: skip
    ids = tokens.tokens[planted_store.indices["token"]]
    a, b = (fires_on(f, planted_tokens, ids) for f in (SEVERAL, OVERLAPPING))
    partner = next(p for p in found.features[SEVERAL].correlated if p.index == OVERLAPPING)
    assert partner.together == (a & b).sum()
    assert partner.jaccard == pytest.approx((a & b).sum() / (a | b).sum())
    assert partner.pearson == pytest.approx(np.corrcoef(a, b)[0, 1], abs=0.05)
    assert {p.index for p in found.features[ONE_TOKEN].correlated} <= {ALWAYS}


def test_promoted_tokens_are_those_that_the_direction_points_to(found: DiscoveryResult) -> None:
    lens = found.features[ONE_TOKEN].logit_lens
    assert lens is not None
    assert lens["top"][0].token_id == 100


def test_a_token_feature_is_explained_by_its_token_and_a_constant_one_is_not(
    found: DiscoveryResult, planted_tokens: dict[int, list[int]]
) -> None:
    record = found.features[ONE_TOKEN]
    assert record.scores["token_rule"] == 1
    assert record.scores["context_shift"] == 0
    assert record.scores["token_concentration"] == 1
    assert record.score_details["token_rule"]["null"] == pytest.approx(0.5, abs=0.1)
    low, high = record.score_details["token_rule"]["interval"]
    assert 0.95 < low <= high <= 1
    assert record.label_source in {"token", "kind"}
    assert len(record.rule_tokens) == 1
    several = found.features[SEVERAL]
    assert several.scores["effective_tokens"] > 2
    assert several.scores["token_rule"] == 1
    assert "token_rule" not in found.features[ALWAYS].scores
    assert "token_rule" not in found.features[NEVER].scores


def test_a_feature_that_fires_at_random_scores_like_the_null(
    planted_store: ActivationStore, tokens: TokenStore
) -> None:
    random = np.random.default_rng(0)
    ids = tokens.tokens[planted_store.indices["token"]].astype(np.int64)
    places = planted_store.indices["token"].astype(np.int64)
    halves = document_halves(tokens.doc_numbers)[tokens.documents_at(places)]
    counts = TokenCounts(int(ids.max()) + 1)
    counts.add_tokens(ids, halves)
    fires = random.random(len(ids)) < 0.05
    n = int(fires.sum())
    sides = torch.from_numpy(2 * ids[fires] + halves[fires])
    counts.add(torch.zeros(n, dtype=torch.int64), torch.ones(n), sides)
    [score] = score_tokens(counts.table(), 1, seed=0)
    assert score.accuracy == pytest.approx(0.5, abs=0.06)
    assert score.null_accuracy == pytest.approx(score.accuracy, abs=0.06)
    assert score.context_shift == pytest.approx(0.95, abs=0.05)


@pytest.mark.parametrize(
    ("activation", "extra"),
    [
        ("jumprelu", {"threshold_F": torch.full((5,), 20.0)}),
        ("gated", {"b_gate_F": torch.full((5,), -STRENGTH / 2), "r_mag_F": torch.zeros(5)}),
    ],
)
def test_other_dictionaries_find_them_too(
    activation: str, extra: dict[str, torch.Tensor], found: DiscoveryResult,
    planted_store: ActivationStore, tokens: TokenStore, directions: torch.Tensor, tmp_path: Path,
) -> None:  # fmt: skip
    tensors = {
        "W_enc_DF": directions.T.contiguous(), "W_dec_FD": directions.contiguous(),
        "b_enc_F": torch.tensor([-80.0, -80, -80, -1e6, 1e4]),
        "b_dec_D": torch.zeros(directions.shape[1]), "W_skip_DD": torch.eye(directions.shape[1]),
    }  # fmt: skip
    save_file(tensors | extra, tmp_path / "sae.safetensors")
    write_json(tmp_path / "metadata.json", {"activation": activation, "hook_type": "residual"})
    with discover_features(
        tmp_path, planted_store, tokens, None, *PLACE, replace(CONFIG, max_tokens=None), ignore,
        never,
    ) as other:  # fmt: skip
        for feature in (ONE_TOKEN, SEVERAL, OVERLAPPING, NEVER):
            assert other.features[feature].n_fires == found.features[feature].n_fires
            for near in other.near_misses(feature):
                assert near.activations[near.position] == 0
                assert near.margin is not None
                assert near.margin <= 0


def test_a_transcoder_is_read_at_the_input_and_speaks_at_the_output(
    glass: LoadedModel, tokens: TokenStore, directions: torch.Tensor, tmp_path: Path
) -> None:
    path = tmp_path / "store"
    config = ExtractionConfig(
        layers=(2,), hook_types=("mlp_input", "mlp"), dtype="float32", max_tokens=3000
    )
    extract_activations(glass, tokens, path, config, ignore, never)
    tensors = {
        "W_enc_DF": directions.T.contiguous(), "W_dec_FD": directions.contiguous(),
        "b_enc_F": torch.zeros(5), "b_dec_D": torch.full((directions.shape[1],), 9.0),
    }  # fmt: skip
    save_file(tensors, tmp_path / "sae.safetensors")
    metadata = {"activation": "relu", "centres_input": False, "hook_type": "mlp_input"}
    store = ActivationStore.open(path)
    plain = (store.rows(2, "mlp_input").slice(0, store.n_rows) @ directions.T > 0).sum(0)
    small = replace(CONFIG, examples_per_feature=1, near_misses=0)
    for target, has_lens in (("mlp", True), ("mlp_input", False)):
        write_json(tmp_path / "metadata.json", {**metadata, "target_hook_type": target})
        with discover_features(
            tmp_path, store, tokens, glass, 2, "mlp_input", small, ignore, never
        ) as found:
            assert [f.n_fires for f in found.features] == plain.tolist()
            assert all((f.logit_lens is not None) is has_lens for f in found.features)
