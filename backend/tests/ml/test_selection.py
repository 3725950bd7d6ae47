"""The fast selections choose exactly what sorting would choose."""

import pytest
import torch

from app.ml.sae_training import selection
from app.ml.sae_training.selection import by_index, falling, largest_in_batch, largest_per_row


@pytest.mark.parametrize(("n_latents", "k"), [(64, 2), (1000, 5), (40, 8), (257, 16)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_largest_per_row(n_latents: int, k: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(k)
    pre = torch.randn(50, n_latents, generator=generator).to(dtype)
    values, indices = largest_per_row(pre, k)
    expected = pre.topk(k, dim=1).values
    assert torch.equal(values.sort(descending=True).values, expected)
    assert torch.equal(pre.gather(1, indices), values)
    assert all(len(set(row)) == k for row in indices.tolist())


def test_rows_that_are_all_alike_or_crowded_in_one_group() -> None:
    pre = torch.zeros(3, 64)
    pre[1, ::4] = torch.arange(16) + 1.0  # one group of 4 holds the largest
    values, indices = largest_per_row(pre, 2)
    assert values[1].sort().values.tolist() == [15.0, 16.0]
    assert indices[1].sort().values.tolist() == [56, 60]
    assert values[0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_rows_below_zero_and_of_one_value(dtype: torch.dtype) -> None:
    pre = -torch.rand(6, 64, generator=torch.Generator().manual_seed(0)).to(dtype)
    pre[1], pre[2, 3:], pre[3] = 0.0, -torch.inf, torch.where(torch.arange(64) % 2 > 0, 0.0, -0.0)
    pre[4, 5] = torch.inf
    values, indices = largest_per_row(pre, 4)
    assert torch.equal(values.sort(descending=True).values, pre.topk(4, dim=1).values)
    assert torch.equal(pre.gather(1, indices), values)


def test_of_equal_values_the_lower_index_comes_first() -> None:
    values = torch.tensor([[1.0, 3.0, 3.0, -0.0, 0.0, -2.0]])
    indices = torch.tensor([[5, 9, 4, 7, 1, 0]])
    assert falling(values, indices, 4)[1].tolist() == [[4, 9, 5, 1]]
    assert falling(values, indices)[0].tolist() == [[3.0, 3.0, 1.0, 0.0, 0.0, -2.0]]
    kept, rising = by_index(values.relu(), indices)
    assert rising.tolist() == [[0, 1, 4, 5, 7, 9]]
    assert kept.tolist() == [[0.0, 0.0, 3.0, 1.0, 0.0, 3.0]]


@pytest.mark.parametrize("nan", [torch.nan, -torch.nan])
def test_nan_rows_fall_back(nan: float) -> None:
    pre = torch.randn(4, 64)
    pre[2] = nan
    values, _ = largest_per_row(pre, 2)
    assert torch.equal(values[0].sort().values, pre[0].topk(2).values.sort().values)
    assert values[2].isnan().all()


def test_largest_in_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MIN_BATCH_ENTRIES", 1000)
    generator = torch.Generator().manual_seed(0)
    pre = torch.randn(64, 512, generator=generator)
    expected = pre.reshape(-1).topk(300).indices.sort().values
    assert torch.equal(largest_in_batch(pre, 300), expected)
    # A sample that holds only the largest entries gives a bound that is too high.
    skewed = pre.clone()
    skewed.view(-1)[:: selection.SAMPLE_STRIDE] += 100
    n = 2000
    expected = skewed.reshape(-1).topk(n).indices.sort().values
    assert torch.equal(largest_in_batch(skewed, n), expected)


def test_only_positive_entries_of_a_batch_are_kept() -> None:
    pre = torch.tensor([[1.0, -1.0, 0.0], [2.0, -3.0, 0.5]])
    assert largest_in_batch(pre, 5).tolist() == [0, 3, 5]
    assert largest_in_batch(pre, 2).tolist() == [0, 3]
