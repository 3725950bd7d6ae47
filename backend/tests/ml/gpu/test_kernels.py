"""The kernels against plain PyTorch on the same device; skipped where there is none."""

import pytest
import torch

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

SHAPES = [(64, 1000, 5), (64, 640, 8), (64, 4608, 32), (32, 24_576, 32), (16, 40_000, 64)]


def generator() -> torch.Generator:
    return torch.Generator(device="cuda").manual_seed(0)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(), device="cuda")


@pytest.mark.parametrize(("n_rows", "n_columns", "k"), SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_selection_is_exact(n_rows: int, n_columns: int, k: int, dtype: torch.dtype) -> None:
    from app.ml.sae_training.gpu import selection_kernels

    pre = random(n_rows, n_columns).to(dtype)
    pre[1] = 0  # all alike
    pre[2, :512] = torch.arange(512, device="cuda").to(dtype) + 5  # crowded
    pre[3] = pre[3].round()  # many equal
    pre[4] = -pre[4].abs()
    pre[5, 7] = torch.inf
    pre[6] = 3.0
    pre[6, 500:500 + k - 1] = 4.0  # all but one are clear, the last is a tie  # fmt: skip
    pre[7, ::3] = torch.inf
    assert selection_kernels.fits(n_columns, k)
    values, indices = selection_kernels.largest_per_row(pre, k)
    expected = pre.topk(k, dim=1).values
    assert torch.equal(values.sort(dim=1, descending=True).values, expected)
    assert torch.equal(pre.gather(1, indices), values)
    assert bool((indices[:, 1:] > indices[:, :-1]).all())
    assert indices[1].tolist() == list(range(k))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("width", [5, 128, 768, 1000])
def test_lists_of_rows(width: int, dtype: torch.dtype) -> None:
    from app.ml.sae_training.gpu import row_kernels

    lengths = torch.tensor([3, 0, 17, 1, 300], device="cuda")
    offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    n = int(offsets[-1])
    list_of = torch.repeat_interleave(torch.arange(5, device="cuda"), lengths)
    indices = torch.randint(0, 50, (n,), generator=generator(), device="cuda")
    table, rows, weights = random(50, width).to(dtype), random(5, width), random(n)
    sums = row_kernels.row_sums(table, indices, offsets, weights)
    wide = table.double()[indices]
    expected = torch.zeros(5, width, dtype=torch.float64, device="cuda")
    expected.index_add_(0, list_of, wide * weights.double().unsqueeze(1))
    torch.testing.assert_close(sums.double(), expected, atol=1e-4, rtol=1e-4)
    products = row_kernels.row_products(rows, table, indices, offsets)
    expected = (wide * rows.double()[list_of]).sum(1)
    torch.testing.assert_close(products.double(), expected, atol=1e-4, rtol=1e-4)
    totals = row_kernels.list_sums(weights, offsets)
    expected = torch.zeros(5, device="cuda").index_add_(0, list_of, weights)
    torch.testing.assert_close(totals, expected, atol=1e-4, rtol=1e-4)
    assert torch.equal(sums, row_kernels.row_sums(table, indices, offsets, weights))
