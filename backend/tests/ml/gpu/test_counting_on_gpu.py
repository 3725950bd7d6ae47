"""What a pass counts on a GPU is what it counts on a CPU."""

import numpy as np
import pytest
import torch

from app.ml.feature_discovery.interval_samples import IntervalSamples
from app.ml.feature_discovery.statistics import FeatureCounters
from app.ml.feature_discovery.token_counts import TokenCounts
from app.ml.feature_discovery.top_contexts import TopContexts
from app.ml.sae_training.selection import by_index, falling

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def counted(device: str) -> dict[str, np.ndarray]:
    generator = torch.Generator().manual_seed(0)
    n = 50_000
    latents = torch.randint(0, 40, (n,), generator=generator)
    values = torch.rand(n, generator=generator).mul_(64).round_().add_(1).div_(8)
    rows, sides = torch.arange(n) // 5, torch.randint(0, 2000, (n,), generator=generator)
    windows = (rows // 30).int()
    counters, tokens = FeatureCounters(40, device), TokenCounts(1000, device)
    top, samples = TopContexts(40, 9, device=device), IntervalSamples(40, 3, 5, device)
    for start in range(0, n, 7000):
        part = slice(start, start + 7000)
        latent, value, row, window, side = (
            column[part].to(device) for column in (latents, values, rows, windows, sides)
        )
        counters.add(1400, latent, value)
        tokens.add(latent, value, side)
        top.add(latent, value, row, window)
        samples.add(latent, value, row, window)
    table = tokens.table()
    return {
        **counters.state(), "top": top.kept, "samples": samples.state()["kept"],
        "latents": table.latents, "tokens": table.tokens, "pairs": table.counts, "sums": table.sums,
    }  # fmt: skip


def test_a_gpu_counts_the_same() -> None:
    expected, found = counted("cpu"), counted("cuda")
    for name, array in expected.items():
        if array.dtype == np.float64:
            assert np.allclose(array, found[name], rtol=1e-12), name
        else:
            assert np.array_equal(array, found[name]), name


def test_short_rows_are_sorted_alike() -> None:
    values = torch.randn(300, 36, generator=torch.Generator().manual_seed(1)).mul_(4).round_()
    indices = torch.stack([torch.randperm(36) for _ in range(300)])
    for sort in (falling, by_index):
        given = values.relu() if sort is by_index else values
        for left, right in zip(
            sort(given, indices), sort(given.cuda(), indices.cuda()), strict=True
        ):
            assert torch.equal(left, right.cpu())
