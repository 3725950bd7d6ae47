"""One pass must find what a plain look at all activations finds."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.ml.activation_extraction import ActivationStore, TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.errors import Stopped
from app.ml.feature_discovery import (
    DiscoveryResult,
    discard_discovery,
    discover,
    discover_features,
    logit_effects,
)
from app.ml.feature_discovery.firing_log import FiringLog
from app.ml.feature_discovery.forked import map_ranges
from app.ml.feature_discovery.labels import word_of
from app.ml.feature_discovery.reading import choose_rows
from app.ml.language_models import LoadedModel
from app.ml.records import FeatureRecord, Progress, to_json
from app.ml.sae_training import load_sae
from tests.ml.conftest import ignore, never

PLACE = (2, "residual")
CONFIG = DiscoveryConfig(
    coherence_features=0, examples_per_feature=6, precision="float32", batch_size=3000, layout="pca"
)


@pytest.fixture(scope="module")
def result(
    sae_path: Path, store: ActivationStore, tokens: TokenStore, glass: LoadedModel
) -> DiscoveryResult:
    return discover_features(sae_path, store, tokens, glass, *PLACE, CONFIG, ignore, never)


@pytest.fixture(scope="module")
def latents(sae_path: Path, store: ActivationStore) -> np.ndarray:
    """All latents of all rows, the plain way."""
    rows = store.rows(*PLACE).slice(0, store.n_rows)
    with torch.no_grad():
        return load_sae(sae_path).encode(rows).numpy()


def test_counters_equal_a_plain_count(result: DiscoveryResult, latents: np.ndarray) -> None:
    n_fires = (latents > 0).sum(0)
    assert [f.n_fires for f in result.features] == n_fires.tolist()
    assert result.summary.n_tokens == len(latents)
    assert result.summary.n_dead == (n_fires == 0).sum()
    assert result.summary.mean_l0 == pytest.approx((latents > 0).sum(1).mean())
    for feature in result.features[::37]:
        values = latents[latents[:, feature.index] > 0, feature.index]
        assert feature.activation_frequency == len(values) / len(latents)
        if len(values):
            assert feature.max_activation == pytest.approx(values.max(), rel=1e-4)
            assert feature.mean_activation == pytest.approx(values.mean(), rel=1e-4)
            assert feature.quantiles["p50"] == pytest.approx(np.median(values), rel=0.12)
            assert sum(feature.histogram["counts"]) == len(values)
            assert feature.histogram["edges"][0] <= values.min()
            assert feature.histogram["edges"][-1] >= values.max() * 0.999


def test_the_strongest_example_is_the_strongest_token_of_all(
    result: DiscoveryResult, latents: np.ndarray, store: ActivationStore
) -> None:
    for feature in result.features[::11]:
        examples = result.examples(feature.index)
        assert len(examples) == feature.n_examples
        if not examples:
            continue
        best = latents[:, feature.index].argmax()
        assert examples[0].token_index == store.indices["token"][best]
        strengths = [e.max_activation for e in examples]
        assert strengths == sorted(strengths, reverse=True)
        assert strengths[0] == pytest.approx(feature.max_activation, rel=1e-5)


def test_examples_carry_the_activation_of_every_token(
    result: DiscoveryResult, latents: np.ndarray, store: ActivationStore, tokens: TokenStore
) -> None:
    row_of = {int(token): row for row, token in enumerate(store.indices["token"])}
    checked = 0
    for feature in result.features[::29]:
        for example in result.examples(feature.index):
            first = example.token_index - example.position
            assert example.token_ids == tokens.tokens[first : first + len(example.tokens)].tolist()
            for offset, activation in enumerate(example.activations):
                row = row_of.get(first + offset)
                expected = 0 if row is None else latents[row, feature.index]
                assert activation == pytest.approx(float(expected), abs=1e-3)
                checked += 1
            assert example.activations[example.position] == pytest.approx(
                example.max_activation, abs=1e-4
            )
    assert checked > 300


def test_examples_stay_in_their_document_and_come_from_different_windows(
    result: DiscoveryResult, store: ActivationStore, tokens: TokenStore
) -> None:
    for feature in result.features[::7]:
        examples = result.examples(feature.index)
        windows = [store.indices["window"][np.searchsorted(store.indices["token"], e.token_index)]
                   for e in examples]  # fmt: skip
        assert len(set(windows)) == len(windows)
        for example in examples:
            first = example.token_index - example.position
            ends = np.array([first, first + len(example.tokens) - 1])
            documents = tokens.documents_at(ends)
            assert documents[0] == documents[1]
            assert example.document == tokens.doc_numbers[documents[0]]
            assert example.split == tokens.split_of_document(int(documents[0]))
            assert example.position <= 16
            assert len(example.tokens) <= 25


def test_all_examples_come_in_order(result: DiscoveryResult) -> None:
    every = list(result.all_examples())
    assert [e.feature for e in every] == sorted(e.feature for e in every)
    assert len(every) == sum(f.n_examples for f in result.features)


def test_a_token_label_names_what_carries_the_activation(
    result: DiscoveryResult, latents: np.ndarray, store: ActivationStore, tokens: TokenStore
) -> None:
    ids = tokens.tokens[store.indices["token"]]
    labelled = [f for f in result.features if f.label_source == "token"]
    assert labelled
    for feature in labelled:
        word = word_of(feature.top_tokens[0].token)
        assert word_of(json.loads(feature.label.removeprefix("token "))) == word
        same = [t.token_id for t in feature.top_tokens if word_of(t.token) == word]
        own = latents[:, feature.index]
        assert own[np.isin(ids, same)].sum() / own.sum() >= 0.8


def test_bfloat16_pass_finds_nearly_the_same(
    result: DiscoveryResult, sae_path: Path, store: ActivationStore, tokens: TokenStore,
    glass: LoadedModel, tmp_path: Path,
) -> None:  # fmt: skip
    config = DiscoveryConfig(
        coherence_features=0, examples_per_feature=6, precision="bfloat16", layout="none"
    )
    seen: list[Progress] = []
    with discover_features(
        sae_path, store, tokens, glass, *PLACE, config, seen.append, never, scratch_dir=tmp_path
    ) as fast:
        assert list(tmp_path.iterdir())
        pairs = zip(fast.features, result.features, strict=True)
        assert np.mean([a.n_fires == b.n_fires for a, b in pairs]) > 0.8
        assert fast.summary.mean_l0 == pytest.approx(result.summary.mean_l0, rel=1e-3)
    assert not list(tmp_path.iterdir())
    assert {p.unit for p in seen} == {"tokens", "features"}


def test_a_limited_pass_reads_whole_windows_from_everywhere(store: ActivationStore) -> None:
    rows = choose_rows(store, 1000)
    assert len(rows) == pytest.approx(1000, rel=0.1)
    assert (np.diff(rows) > 0).all()
    windows, counts = np.unique(store.indices["window"][rows], return_counts=True)
    every, whole = np.unique(store.indices["window"], return_counts=True)
    assert counts.tolist() == whole[np.isin(every, windows)].tolist()
    assert windows[0] < every[-1] * 0.1
    assert windows[-1] > every[-1] * 0.9
    assert len(choose_rows(store, None)) == store.n_rows


def test_without_a_model_there_is_no_lens_and_no_text(
    sae_path: Path, store: ActivationStore, tokens: TokenStore
) -> None:
    config = DiscoveryConfig(
        coherence_features=0, max_tokens=2000, examples_per_feature=2, layout="none"
    )
    with discover_features(sae_path, store, tokens, None, *PLACE, config, ignore, never) as plain:
        assert all(f.logit_lens is None for f in plain.features)
        example = next(plain.all_examples())
        assert example.tokens[0] == f"<{example.token_ids[0]}>"


def test_a_stopped_pass_leaves_nothing(
    sae_path: Path, store: ActivationStore, tokens: TokenStore, tmp_path: Path
) -> None:
    for n_answers in (0, 3):
        answers = iter([False] * n_answers + [True])
        with pytest.raises(Stopped):
            discover_features(
                sae_path, store, tokens, None, *PLACE,
                DiscoveryConfig(coherence_features=0, batch_size=20_000, layout="none"), ignore,
                lambda a=answers: next(a), scratch_dir=tmp_path,
            )  # fmt: skip
        assert not list(tmp_path.iterdir())


def test_logit_effects_are_the_extremes(glass: LoadedModel, sae_path: Path) -> None:
    sae = load_sae(sae_path)
    effects = logit_effects(glass, sae.W_dec_FD, 3, *PLACE)
    gain = glass.model.model.norm.weight
    logits = (sae.W_dec_FD[300] * gain) @ glass.model.lm_head.weight.T
    assert effects.top_ids[300].tolist() == logits.topk(3).indices.tolist()
    assert effects.bottom_logits[300].tolist() == pytest.approx(
        logits.topk(3, largest=False).values.tolist(), abs=1e-4
    )


def test_firings_are_found_again(tmp_path: Path) -> None:
    log = FiringLog(tmp_path)
    log.add(np.array([2, 0]), np.array([3, 7]), np.array([1.5, 2.5], np.float32))
    log.add(np.array([3]), np.array([0, 3, 9]), np.array([4, 5, 6], np.float32))
    table = log.finish()
    rows = np.array([0, 0, 0, 1, 2, 2, 2, -1, 0])
    latents = np.array([3, 7, 5, 3, 0, 3, 9, 3, 99])
    assert table.look_up(rows, latents).tolist() == [1.5, 2.5, 0, 0, 4, 5, 6, 0, 0]
    (tmp_path / "empty").mkdir()
    empty = FiringLog(tmp_path / "empty")
    empty.add(np.array([0]), np.array([], np.int64), np.array([], np.float32))
    assert empty.finish().look_up(np.array([0]), np.array([1])).tolist() == [0]


def test_a_killed_pass_goes_on_and_finds_the_same(
    result: DiscoveryResult, sae_path: Path, store: ActivationStore, tokens: TokenStore,
    glass: LoadedModel, tmp_path: Path,
) -> None:  # fmt: skip
    def discover(should_stop: Callable[[], bool], seen: list[Progress]) -> DiscoveryResult:
        return discover_features(
            sae_path, store, tokens, glass, *PLACE, CONFIG, seen.append, should_stop,
            scratch_dir=tmp_path, resume_key="job", save_seconds=0,
        )  # fmt: skip

    answers = iter([False] * 5 + [True])
    with pytest.raises(Stopped):
        discover(lambda: next(answers), [])
    # What was logged after the last saved state is not counted twice.
    with (tmp_path / "discovery-job" / "latents").open("ab") as log:
        log.write(b"torn write")
    seen: list[Progress] = []
    with discover(never, seen) as resumed:
        assert seen[0].done == 6 * 3000
        # Sums of the same numbers in another grouping differ in their last bits.
        assert _rounded(resumed.features) == _rounded(result.features)
        for index in range(0, 512, 37):
            assert resumed.contexts(index) == result.contexts(index)
    assert not list(tmp_path.iterdir())


def _rounded(features: list[FeatureRecord]) -> list[object]:
    def rounded(value: object) -> object:
        return float(f"{value:.6g}") if isinstance(value, float) else value

    texts = (json.dumps(to_json(feature)) for feature in features)
    return [json.loads(text, parse_float=lambda number: rounded(float(number))) for text in texts]


def test_another_setting_does_not_continue_an_old_state(
    sae_path: Path, store: ActivationStore, tokens: TokenStore, tmp_path: Path
) -> None:
    def discover(config: DiscoveryConfig, should_stop: Callable[[], bool]) -> DiscoveryResult:
        return discover_features(
            sae_path, store, tokens, None, *PLACE, config, ignore, should_stop,
            scratch_dir=tmp_path, resume_key="job",
        )  # fmt: skip

    small = DiscoveryConfig(coherence_features=0, max_tokens=3000, batch_size=1000, layout="none")
    answers = iter([False, True])
    with pytest.raises(Stopped):
        discover(small, lambda: next(answers))
    with discover(replace(small, near_misses=0), never) as found:
        assert found.summary.n_tokens == pytest.approx(3000, rel=0.1)
        assert not any(found.near_misses(index) for index in range(512))
    answers = iter([False, True])
    with pytest.raises(Stopped):
        discover(small, lambda: next(answers))
    discard_discovery(tmp_path, "job")
    assert not list(tmp_path.iterdir())


def test_samples_come_from_every_octave(result: DiscoveryResult, latents: np.ndarray) -> None:
    for feature in result.features[::41]:
        values = latents[latents[:, feature.index] > 0, feature.index]
        samples = result.samples(feature.index)
        octaves = np.floor(np.log2(values))
        assert {s.octave for s in samples} == set(octaves.astype(int).tolist())
        for sample in samples:
            assert 2**sample.octave <= sample.max_activation < 2 ** (sample.octave + 1)
        for interval in feature.intervals:
            assert interval["count"] == (octaves == interval["octave"]).sum()
            shown = sum(s.octave == interval["octave"] for s in samples)
            assert 0 < shown <= min(4, interval["count"])
        assert sum(i["share"] for i in feature.intervals) == pytest.approx(float(len(values) > 0))


def test_near_misses_did_not_fire_and_nearly_did(
    result: DiscoveryResult, sae_path: Path, store: ActivationStore
) -> None:
    sae = load_sae(sae_path)
    rows = store.rows(*PLACE).slice(0, store.n_rows)
    pre = (rows - sae.b_dec_D) @ sae.W_enc_DF + sae.b_enc_F
    weakest = pre.topk(8, dim=1).values[:, -1].clamp_min(0)
    margins = sae.margins(rows)
    assert torch.equal(margins > 0, sae.encode(rows) > 0)
    row_of = {int(token): row for row, token in enumerate(store.indices["token"])}
    checked = 0
    for feature in result.features[::23]:
        for example in result.near_misses(feature.index):
            row = row_of[example.token_index]
            assert example.activations[example.position] == 0
            lacked = (weakest[row] - pre[row, feature.index]).item()
            assert example.margin == pytest.approx(-lacked, abs=1e-4)
            assert lacked >= 0
            assert margins[row, feature.index].item() == pytest.approx(-lacked, abs=1e-4)
            checked += 1
    assert checked > 50


def test_pairs_equal_a_plain_count(result: DiscoveryResult, latents: np.ndarray) -> None:
    fires = latents > 0
    assert result.summary.n_co_firing_tokens == len(latents)
    checked = 0
    for feature in result.features[::61]:
        own = latents[:, feature.index]
        listed = {p.index for p in feature.correlated}
        assert feature.index not in listed
        for partner in feature.correlated[:5]:
            other = latents[:, partner.index]
            together = (fires[:, feature.index] & fires[:, partner.index]).sum()
            either = (fires[:, feature.index] | fires[:, partner.index]).sum()
            assert partner.together == together
            assert partner.jaccard == pytest.approx(together / either)
            expected = np.log(together * len(own) / ((own > 0).sum() * (other > 0).sum()))
            assert partner.pmi == pytest.approx(expected)
            assert partner.pearson == pytest.approx(np.corrcoef(own, other)[0, 1], abs=1e-5)
            checked += 1
    assert checked > 10


def test_neighbours_are_the_nearest_directions(result: DiscoveryResult, sae_path: Path) -> None:
    sae = load_sae(sae_path)
    for name, directions in (
        ("decoder_neighbours", sae.W_dec_FD), ("encoder_neighbours", sae.W_enc_DF.T)
    ):  # fmt: skip
        unit = torch.nn.functional.normalize(directions.detach(), dim=1)
        cosines = unit @ unit[300]
        cosines[300] = -2
        found = getattr(result.features[300], name)
        assert [n.index for n in found] == cosines.topk(20).indices.tolist()
        assert found[0].cosine == pytest.approx(cosines.max().item(), abs=1e-5)


def test_tokens_equal_a_plain_count(
    result: DiscoveryResult, latents: np.ndarray, store: ActivationStore, tokens: TokenStore
) -> None:
    ids = tokens.tokens[store.indices["token"]]
    for feature in result.features[::71]:
        own = latents[:, feature.index]
        shares = []
        for entry in feature.top_tokens:
            here = ids == entry.token_id
            assert entry.count == (own[here] > 0).sum()
            assert entry.p_fire == pytest.approx((own[here] > 0).mean())
            assert entry.share == pytest.approx(own[here].sum() / own.sum(), rel=1e-3)
            shares.append(entry.share)
        assert shares == sorted(shares, reverse=True)


def test_the_map_is_within_its_frame(result: DiscoveryResult) -> None:
    assert result.summary.layout == "pca"
    places = np.array([feature.place for feature in result.features])
    assert np.abs(places).max() == pytest.approx(1, abs=1e-5)
    assert len({feature.cluster for feature in result.features}) > 3


def test_features_described_by_copies_are_the_same(
    result: DiscoveryResult, sae_path: Path, store: ActivationStore, tokens: TokenStore,
    glass: LoadedModel, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def shared(work: object, n: int, step: int) -> object:
        return map_ranges(work, n, step, processes=2)  # type: ignore[arg-type]

    def encode(index: int, context: object) -> bytes:
        return repr((index, context)).encode()

    alone = list(result.encoded_contexts(encode))
    monkeypatch.setattr(discover, "map_ranges", shared)
    with discover_features(sae_path, store, tokens, glass, *PLACE, CONFIG, ignore, never) as found:
        assert list(map(to_json, found.features)) == list(map(to_json, result.features))
        assert list(found.encoded_contexts(encode)) == alone
