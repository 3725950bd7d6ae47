"""Sums and figures by hand, in any order and any batches."""

import numpy as np
import pytest
import torch

from app.ml.sae_training.baselines import largest_directions
from app.ml.sae_training.document_sums import DocumentSums, Ratio, bootstrap_intervals
from app.ml.sae_training.heldout_rows import heldout_rows
from app.ml.sae_training.reconstruction import ReconstructionSums, add_baselines, reconstruct
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder
from tests.ml.conftest import StoreOf, ignore, never


def halving(width: int) -> SparseAutoencoder:
    """One latent per dimension and sign, writing half of what it reads."""
    both = torch.cat([torch.eye(width), -torch.eye(width)], dim=1)
    tensors = {
        "W_enc_DF": both, "W_dec_FD": both.T / 2,
        "b_enc_F": torch.zeros(2 * width), "b_dec_D": torch.zeros(width),
    }  # fmt: skip
    return SparseAutoencoder(tensors, "relu", None)


def sums_over(rows: np.ndarray, store_of: StoreOf, name: str, batch: int) -> ReconstructionSums:
    """Two training rows of zeros, then the given rows as held-out ones."""
    store = store_of(np.concatenate([np.zeros((2, rows.shape[1])), rows]), n_train=2, name=name)
    held = heldout_rows(store, None, 0, "residual", "residual")
    sae = halving(rows.shape[1])
    sums = reconstruct(sae, held, batch, ignore, never)
    add_baselines(sums, held, None, batch)
    return sums


def test_figures_by_hand(store_of: StoreOf) -> None:
    """Values 1, -2, 3, 6 about their mean 2: spread 34. Half is written: errors 12.5 in all."""
    rows = np.array([[1.0], [-2.0], [3.0], [6.0]])
    for batch in (4, 3, 1):
        sums = sums_over(rows, store_of, f"b{batch}", batch)
        values = {name: ratio.value() for name, ratio in sums.ratios().items()}
        assert values["fvu"] == pytest.approx(12.5 / 34)
        assert values["explained_variance"] == pytest.approx(21.5 / 34)
        assert values["l0"] == 1
        assert values["cosine"] == 1
        assert values["l2_ratio"] == 0.5
        assert values["relative_bias"] == 0.5  # sum x'^2 = 12.5, sum x x' = 25
        assert sums.mean_D.item() == 2
        assert sums.fires_F.tolist() == [3, 1]
        assert (sums.dead_latents, sums.dense_latents) == (0, 2)


def test_l0_percentiles_by_hand(store_of: StoreOf) -> None:
    """Rows with 0, 1, 2, 3 and 4 values other than 0, one of each."""
    sums = sums_over(np.tril(np.ones((5, 4)), -1), store_of, "l0", 2)
    assert sums.l0_counts[:5].tolist() == [1] * 5
    assert [sums.l0_percentile(share) for share in (0.05, 0.2, 0.21, 0.95)] == [0, 0, 1, 4]


def test_order_changes_nothing(store_of: StoreOf) -> None:
    rows = np.random.default_rng(0).normal(size=(500, 6)) + 3
    one = sums_over(rows, store_of, "one", 64)
    two = sums_over(rows[np.random.default_rng(1).permutation(500)], store_of, "two", 100)
    for name, ratio in one.ratios().items():
        assert ratio.value() == pytest.approx(two.ratios()[name].value(), rel=1e-12)
    assert torch.equal(one.fires_F, two.fires_F)


def test_fvu_is_about_the_mean_even_far_from_zero(store_of: StoreOf) -> None:
    """Halving values near 1000 misses them by 500: far worse than their mean, and no overflow."""
    rows = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32) + 1000
    exact = rows.astype(np.float64)
    expected = ((exact / 2) ** 2).sum() / ((exact - exact.mean(0)) ** 2).sum()
    assert sums_over(rows, store_of, "far", 64).ratios()["fvu"].value() == pytest.approx(expected)


def test_bootstrap_of_equal_documents_has_no_width() -> None:
    same = Ratio(np.full(20, 3.0), np.full(20, 4.0))
    span = bootstrap_intervals({"r": same})["r"]
    assert (span.low, span.high) == (0.75, 0.75)


def test_bootstrap_width_is_that_of_the_mean() -> None:
    """Means of n independent documents spread with their deviation / sqrt(n), times 1.96."""
    values = np.random.default_rng(3).normal(5, 2, size=400)
    span = bootstrap_intervals({"r": Ratio(values, np.ones(400))})["r"]
    assert (span.high - span.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)
    assert bootstrap_intervals({"r": Ratio(values, np.ones(400))})["r"] == span
    negative = bootstrap_intervals({"r": Ratio(values, np.ones(400), 1.0, -1.0)})["r"]
    assert negative.low == pytest.approx(1 - span.high)


def test_no_interval_without_documents_or_denominator() -> None:
    assert bootstrap_intervals({"r": Ratio(np.ones(9), np.ones(9))}) == {}
    assert bootstrap_intervals({"r": Ratio(np.ones(20), np.zeros(20))}) == {}
    assert Ratio(np.ones(2), np.zeros(2)).value() is None


def test_documents_keep_their_own_sums() -> None:
    sums = DocumentSums(3)
    sums.add(torch.tensor([0, 2, 2]), {"x": torch.tensor([1.0, 2.0, 4.0])})
    sums.add(torch.tensor([2]), {"x": torch.tensor([8.0])})
    assert sums["x"].tolist() == [1, 0, 14]
    assert sums.total("x") == 15


def test_wide_covariances_are_iterated_to_the_same_subspace() -> None:
    """Eigenvalues that fall like 1 / n, as those of activations do, known by construction."""
    width, rank = 1100, 16
    random = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(width, width, generator=random).double())[0]
    values = 1 / torch.arange(1, width + 1).double()
    directions = largest_directions(basis * values @ basis.T, rank)
    kept = ((basis.T @ directions).square() * values[:, None]).sum() / values[:rank].sum()
    assert directions.shape == (width, rank)
    assert kept > 0.999
