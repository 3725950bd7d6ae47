"""How near a training is to what the device could do: the floor of its matrix products."""

from __future__ import annotations

import functools
import time

import torch

MOST_ROWS = {"cpu": 1024, "cuda": 8192}
MOST_LATENTS = 8192
REPEATS = 5
SECONDS = 0.5


def floor_share(
    tokens: int, seconds: float, d_in: int, d_sae: int, flop_per_second: float
) -> float:
    """Return floor seconds / seconds; the floor is 2 x d_in x d_sae FLOP per token."""
    return 2.0 * d_in * d_sae * tokens / flop_per_second / max(seconds, 1e-12)


@functools.cache
def product_rate(
    device: torch.device, dtype: torch.dtype, rows: int, d_in: int, d_sae: int
) -> float:
    """Measure the FLOP per second of the encoder's product, the best of a few repeats.

    Large shapes are cut to where the rate has levelled off (1,024 rows on a CPU, 8,192 latents);
    the measurement ends after half a second. On a CPU it counts the threads' own time, so
    programs beside it do not lower the floor: what they take shows in the share. Once per process
    and shape.
    """
    n_rows = min(rows, MOST_ROWS.get(device.type, rows))
    n_latents = min(d_sae, MOST_LATENTS)
    left = torch.ones(n_rows, d_in, dtype=dtype, device=device)
    right = torch.ones(n_latents, d_in, dtype=dtype, device=device)
    torch.mm(left, right.T)
    best, began = float("inf"), time.perf_counter()
    for _ in range(REPEATS):
        best = min(best, _seconds(left, right.T, device))
        if time.perf_counter() - began > SECONDS:
            break
    return 2.0 * n_rows * d_in * n_latents / best


def _seconds(left: torch.Tensor, right: torch.Tensor, device: torch.device) -> float:
    if device.type != "cuda":
        start = time.process_time()
        torch.mm(left, right)
        return max((time.process_time() - start) / torch.get_num_threads(), 1e-9)
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    torch.mm(left, right)
    torch.cuda.synchronize(device)
    return max(time.perf_counter() - start, 1e-9)
