"""Held-out figures by hand, for any batch size, and the model with a reconstruction in it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.ml.activation_extraction import ActivationStore, TokenStore
from app.ml.configs import METRIC_DEFINITIONS, TrainingHyperparameters
from app.ml.errors import InvalidActivations, Stopped
from app.ml.files import write_json
from app.ml.language_models import LoadedModel
from app.ml.records import Progress, to_json
from app.ml.sae_training import evaluate_sae, load_sae, train
from app.ml.sae_training.evaluation import FIRING_FILE
from app.ml.sae_training.replacement import Place, heldout_windows, measure_replacement
from tests.ml.conftest import StoreOf, ignore, never

PLACE = (2, "residual")


def test_figures_do_not_depend_on_the_batch_size(sae_path: Path, store: ActivationStore) -> None:
    one, two = (
        to_json(evaluate_sae(sae_path, store, None, None, *PLACE, ignore, never, batch_rows=size))
        for size in (257, 4096)
    )
    spans_one, spans_two = one.pop("intervals"), two.pop("intervals")
    assert one == pytest.approx(two, abs=1e-6)
    assert spans_one.keys() == spans_two.keys() >= {"fvu", "l0", "pca_explained_variance"}
    for name in spans_one:
        assert spans_one[name] == pytest.approx(spans_two[name], abs=1e-6)
    assert one["ce_clean"] is None


def test_figures_equal_a_plain_computation(sae_path: Path, store: ActivationStore) -> None:
    result = evaluate_sae(sae_path, store, None, None, *PLACE, ignore, never, keep_firing=True)
    x = store.rows(*PLACE).slice(store.n_train_rows, store.n_rows)
    sae = load_sae(sae_path)
    latents = sae.encode(x)
    output = sae.decode(latents)
    spread = (x - x.mean(0)).square().sum()
    fvu = ((x - output).square().sum() / spread).item()
    fires, l0 = (latents > 0).sum(0), (latents > 0).sum(1)
    assert result.n_tokens == len(x)
    assert result.fvu == pytest.approx(fvu, rel=1e-4)
    assert result.explained_variance == 1 - result.fvu
    assert result.l0 == pytest.approx(l0.float().mean().item(), abs=1e-3)
    assert result.l0_p5 == np.percentile(l0, 5, method="inverted_cdf")
    assert result.l0_p95 == np.percentile(l0, 95, method="inverted_cdf")
    assert result.dead_latents == int((fires == 0).sum())
    assert result.dead_share == result.dead_latents / sae.d_sae
    assert result.dense_latents == int((fires > 0.1 * len(x)).sum())
    assert result.relative_bias == pytest.approx(
        (output.square().sum() / (x * output).sum()).item(), rel=1e-4
    )
    assert result.cosine == pytest.approx(
        torch.cosine_similarity(x, output, dim=1).mean().item(), abs=1e-4
    )
    kept = load_file(sae_path / FIRING_FILE)
    assert torch.equal(kept["fires_F"], fires)
    assert kept["n_tokens"].item() == len(x)


def test_the_dictionary_beats_its_baselines(sae_path: Path, store: ActivationStore) -> None:
    """PCA by numpy's own SVD on the same training rows gives the same figure."""
    result = evaluate_sae(sae_path, store, None, None, *PLACE, ignore, never)
    rows = store.rows(*PLACE)
    x = rows.slice(store.n_train_rows, store.n_rows).double().numpy()
    seen = rows.slice(0, store.n_train_rows).double().numpy()
    centred = x - seen.mean(0)
    directions = np.linalg.svd(seen - seen.mean(0), full_matrices=False)[2][: result.pca_rank]
    error = (centred - centred @ directions.T @ directions).__pow__(2).sum()
    expected = 1 - error / ((x - x.mean(0)) ** 2).sum()
    assert result.pca_rank == 8
    assert result.pca_explained_variance == pytest.approx(expected, abs=1e-6)
    assert result.mean_explained_variance is not None
    assert -0.05 < result.mean_explained_variance <= 0
    assert 0 < result.pca_explained_variance < result.explained_variance
    assert result.skip_explained_variance is None


def test_intervals_hold_the_figure_and_come_again(
    sae_path: Path, store: ActivationStore, tokens: TokenStore
) -> None:
    """Windows stand for documents here: the corpus holds out six of those, too few."""
    few = evaluate_sae(sae_path, store, None, tokens, *PLACE, ignore, never)
    assert (few.n_documents, few.intervals) == (6, {})
    one, two = (evaluate_sae(sae_path, store, None, None, *PLACE, ignore, never) for _ in range(2))
    assert one.intervals == two.intervals
    assert one.n_documents >= 10
    for name in ("explained_variance", "cosine", "l2_ratio", "pca_explained_variance"):
        span = one.intervals[name]
        assert span.low < getattr(one, name) < span.high
    assert "dead_share" not in one.intervals


def test_the_model_with_the_reconstruction(
    sae_path: Path, store: ActivationStore, tokens: TokenStore, glass: LoadedModel
) -> None:
    seen: list[Progress] = []
    before = glass.model(torch.arange(4)[None]).logits
    result = evaluate_sae(
        sae_path, store, glass, tokens, *PLACE, seen.append, never, max_ce_windows=12
    )
    assert torch.equal(glass.model(torch.arange(4)[None]).logits, before)
    assert result.ce_clean is not None
    assert result.ce_sae is not None
    assert result.ce_zero is not None
    assert result.ce_clean < result.ce_sae < result.ce_zero
    assert result.ce_recovered_zero == pytest.approx(
        (result.ce_zero - result.ce_sae) / (result.ce_zero - result.ce_clean)
    )
    assert 0.5 < result.ce_recovered_zero < 1
    assert result.kl is not None
    assert result.kl > 0
    assert (result.n_ce_windows, result.n_ce_tokens) == (12, 12 * 63)
    assert {p.unit for p in seen} == {"tokens", "windows"}
    assert result.kl_zero is not None
    assert result.kl_recovered_zero == pytest.approx(1 - result.kl / result.kl_zero)
    assert result.kl_recovered_mean is not None
    assert 0 < result.kl_recovered_mean < result.kl_recovered_zero < 1


def test_clean_cross_entropy_is_that_of_transformers(
    sae_path: Path, store: ActivationStore, tokens: TokenStore, glass: LoadedModel
) -> None:
    windows, keep = heldout_windows(store, tokens, 6)
    figures = measure_replacement(
        load_sae(sae_path), store, glass, tokens, Place(*PLACE, PLACE[1]), torch.zeros(128),
        ignore, never, 6,
    )  # fmt: skip
    ids = torch.from_numpy(tokens.read_windows(windows))
    expected = glass.model(input_ids=ids, labels=ids).loss.item()
    assert figures is not None
    values = {name: ratio.value() for name, ratio in figures.ratios().items()}
    assert values["ce_clean"] == pytest.approx(expected, rel=1e-4)
    assert values["ce_mean"] == pytest.approx(values["ce_zero"])  # the mean handed in was zero
    assert not keep[:, 0].any()


def test_only_kept_positions_are_replaced(
    sae_path: Path, store: ActivationStore, tokens: TokenStore
) -> None:
    _, keep = heldout_windows(store, tokens, 1000)
    assert keep.sum() == store.n_heldout_rows
    assert (windows_of := heldout_windows(store, tokens, 5)[0]).size == 5
    assert (windows_of >= tokens.n_train_windows).all()


def test_a_transcoder_is_measured_against_its_targets(
    tmp_path: Path, store: ActivationStore, tokens: TokenStore, glass: LoadedModel
) -> None:
    """One that answers with its skip path alone: all figures of the two agree."""
    reads, writes = (2, "mlp"), (2, "residual")
    x = store.rows(*reads).slice(0, store.n_train_rows).double()
    y = store.rows(*writes).slice(0, store.n_train_rows).double()
    solved = torch.linalg.lstsq(x - x.mean(0), y - y.mean(0)).solution.T
    tensors = {
        "W_enc_DF": torch.zeros(128, 4), "W_dec_FD": torch.zeros(4, 128),
        "b_enc_F": torch.full((4,), -1.0), "W_skip_DD": solved.float().contiguous(),
        "b_dec_D": (y.mean(0) - solved @ x.mean(0)).float(),
    }  # fmt: skip
    save_file(tensors, tmp_path / "sae.safetensors")
    metadata = {"activation": "relu", "centres_input": False, "target_hook_type": "residual"}
    write_json(tmp_path / "metadata.json", metadata)
    result = evaluate_sae(tmp_path, store, glass, tokens, *reads, ignore, never, max_ce_windows=8)
    heldout = slice(store.n_train_rows, store.n_rows)
    target = store.rows(*writes).slice(heldout.start, heldout.stop)
    output = load_sae(tmp_path)(store.rows(*reads).slice(heldout.start, heldout.stop))
    fvu = (target - output).square().sum() / (target - target.mean(0)).square().sum()
    assert result.fvu == pytest.approx(fvu.item(), rel=1e-4)
    assert result.skip_explained_variance == pytest.approx(result.explained_variance)
    assert 0 < result.explained_variance < 1
    assert result.ce_skip == pytest.approx(result.ce_sae)
    assert result.ce_recovered_zero is not None
    assert 0 < result.ce_recovered_zero < 1
    assert result.dead_share == 1


def test_refusals(
    tmp_path: Path, sae_path: Path, store: ActivationStore, store_of: StoreOf
) -> None:
    with pytest.raises(Stopped):
        evaluate_sae(sae_path, store, None, None, *PLACE, ignore, lambda: True)
    rows = np.random.default_rng(0).normal(size=(600, 8))
    train_only = store_of(rows)
    settings = TrainingHyperparameters(d_sae=16, k=2, training_steps=2, batch_size=64)
    path = train(
        train_only, 0, "residual", "sparse", settings, tmp_path / "c",
        report=ignore, should_stop=lambda: None, on_checkpoint=ignore,
    ).checkpoint.path  # fmt: skip
    with pytest.raises(InvalidActivations, match="no held-out tokens"):
        evaluate_sae(path, train_only, None, None, 0, "residual", ignore, never)
    with pytest.raises(InvalidActivations, match="width 8, not 128"):
        evaluate_sae(path, store, None, None, *PLACE, ignore, never)


def test_every_figure_has_a_definition() -> None:
    wanted = ("explained_variance", "l0", "dead_share", "cosine", "ce_recovered_zero", "kl")
    assert all(METRIC_DEFINITIONS[name] for name in wanted)
