"""Held-out figures by hand, for any batch size, and the model with a reconstruction in it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from app.ml.activation_extraction import ActivationStore, TokenStore
from app.ml.configs import METRIC_DEFINITIONS, TrainingHyperparameters
from app.ml.errors import InvalidActivations, Stopped
from app.ml.language_models import LoadedModel
from app.ml.records import Progress
from app.ml.sae_training import evaluate_sae, load_sae, train
from app.ml.sae_training.evaluation import ReconstructionSums
from app.ml.sae_training.replacement import heldout_windows, measure_replacement
from tests.ml.conftest import StoreOf, ignore, never

PLACE = (2, "residual")


def test_fvu_by_hand() -> None:
    """Values 1, 2, 3, 6 about their mean 3: spread 14. Errors 1, 0, 0, 2: 5."""
    x = torch.tensor([[1.0], [2.0], [3.0], [6.0]])
    output = torch.tensor([[2.0], [2.0], [3.0], [4.0]])
    for batches in ([4], [2, 2], [1, 3]):
        sums = ReconstructionSums(1, 3)
        start = 0
        for size in batches:
            part = slice(start, start + size)
            sums.add(x[part], output[part], torch.tensor([0, 2]))
            start += size
        assert sums.fvu == pytest.approx(5 / 14)
        assert sums.mean().item() == 3.0
        assert sums.fires_F.tolist() == [len(batches), 0, len(batches)]
        assert sums.norm_in == 12
        assert sums.norm_out == 11


def test_fvu_is_about_the_mean_even_far_from_zero() -> None:
    x = torch.randn(1000, 4, dtype=torch.float64) + 1e6
    sums = ReconstructionSums(4, 1)
    for part in x.split(100):
        sums.add(part, x.mean(0).expand_as(part), torch.tensor([0]))
    assert sums.fvu == pytest.approx(1.0, rel=1e-6)


def test_figures_do_not_depend_on_the_batch_size(sae_path: Path, store: ActivationStore) -> None:
    one, two = (
        evaluate_sae(sae_path, store, None, None, *PLACE, ignore, never, batch_rows=size)
        for size in (257, 4096)
    )
    assert one.explained_variance == pytest.approx(two.explained_variance, abs=1e-6)
    assert one.cosine == pytest.approx(two.cosine, abs=1e-6)
    assert (one.l0, one.dead_latents, one.n_tokens) == (two.l0, two.dead_latents, two.n_tokens)
    assert one.ce_clean is None


def test_figures_equal_a_plain_computation(sae_path: Path, store: ActivationStore) -> None:
    result = evaluate_sae(sae_path, store, None, None, *PLACE, ignore, never)
    x = store.rows(*PLACE).slice(store.n_train_rows, store.n_rows)
    sae = load_sae(sae_path)
    latents = sae.encode(x)
    output = sae.decode(latents)
    fvu = ((x - output).square().sum() / (x - x.mean(0)).square().sum()).item()
    assert result.n_tokens == len(x)
    assert result.fvu == pytest.approx(fvu, rel=1e-4)
    assert result.explained_variance == 1 - result.fvu
    assert result.l0 == pytest.approx((latents > 0).float().sum(1).mean().item(), abs=1e-3)
    assert result.dead_latents == int(((latents > 0).sum(0) == 0).sum())
    assert result.dead_share == result.dead_latents / sae.d_sae
    assert result.cosine == pytest.approx(
        torch.cosine_similarity(x, output, dim=1).mean().item(), abs=1e-4
    )
    assert result.explained_variance > 0.6


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


def test_clean_cross_entropy_is_that_of_transformers(
    sae_path: Path, store: ActivationStore, tokens: TokenStore, glass: LoadedModel
) -> None:
    windows, keep = heldout_windows(store, tokens, 6)
    figures = measure_replacement(
        load_sae(sae_path), store, glass, tokens, PLACE, torch.zeros(128), ignore, never, 6
    )
    ids = torch.from_numpy(tokens.read_windows(windows))
    expected = glass.model(input_ids=ids, labels=ids).loss.item()
    assert figures is not None
    assert figures.clean == pytest.approx(expected, rel=1e-4)
    assert figures.mean == pytest.approx(figures.zero)  # the mean handed in was zero
    assert not keep[:, 0].any()


def test_only_kept_positions_are_replaced(
    sae_path: Path, store: ActivationStore, tokens: TokenStore
) -> None:
    _, keep = heldout_windows(store, tokens, 1000)
    assert keep.sum() == store.n_heldout_rows
    assert (windows_of := heldout_windows(store, tokens, 5)[0]).size == 5
    assert (windows_of >= tokens.n_train_windows).all()


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
