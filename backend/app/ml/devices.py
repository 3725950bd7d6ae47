"""Which device and number format to use, decided by looking and by a short measurement."""

from __future__ import annotations

import functools
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from app.ml.errors import OutOfMemory

BF16_MIN_SPEEDUP = 1.3
"""bfloat16 must be this much faster than float32 to be worth its rounding."""
BENCHMARK_SHAPE = (128, 768, 768)
BENCHMARK_REPEATS = 5
BENCHMARK_SECONDS = 0.1
"""A CPU that emulates bfloat16 takes 130 times as long: one such product is enough to know."""


def pick_device(device: str = "auto") -> torch.device:
    """Turn "auto", "cpu", "cuda" or "cuda:1" into a device."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def pick_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Turn "auto", "float32", "bfloat16" or "float16" into a number format for products."""
    if precision != "auto":
        named: torch.dtype = getattr(torch, precision)
        return named
    return torch.bfloat16 if is_bf16_faster(device.type) else torch.float32


@functools.cache
def is_bf16_faster(device_type: str) -> bool:
    """Return whether bfloat16 products pay; on a CPU they are timed once per process.

    The answer differs by a factor of 10 between CPUs (AMX, AVX512-BF16, or emulated), so it
    cannot be read off a list.
    """
    if device_type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bf16_speedup() >= BF16_MIN_SPEEDUP


@functools.cache
def bf16_speedup() -> float:
    """Return how many times faster a bfloat16 matrix product is than a float32 one here."""
    return _product_seconds(torch.float32) / _product_seconds(torch.bfloat16)


def _product_seconds(dtype: torch.dtype) -> float:
    rows, inner, columns = BENCHMARK_SHAPE
    left, right = torch.ones(rows, inner, dtype=dtype), torch.ones(inner, columns, dtype=dtype)
    best, began = float("inf"), time.perf_counter()
    for _ in range(BENCHMARK_REPEATS):
        start = time.perf_counter()
        torch.mm(left, right)
        end = time.perf_counter()
        best = min(best, end - start)
        if end - began > BENCHMARK_SECONDS:
            break
    return best


def memory_bytes(device: torch.device) -> int:
    """Return the peak memory so far: of the GPU's allocator, else of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def gpu_utilization(device: torch.device) -> float | None:
    """Return the share of the last moments in which the GPU worked, in per cent, if it tells."""
    if device.type != "cuda":
        return None
    try:
        return float(torch.cuda.utilization(device))
    except (ModuleNotFoundError, RuntimeError):  # no management library, or a virtual GPU
        return None


@contextmanager
def coded_memory_errors(doing: str) -> Iterator[None]:
    """Turn the allocators' errors into ``OutOfMemory`` with what was being done."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            f"The GPU's memory ran out while {doing}; use a smaller batch."
        ) from error
    except MemoryError as error:
        raise OutOfMemory(f"Memory ran out while {doing}; use a smaller batch.") from error
    except RuntimeError as error:
        if "can't allocate memory" in str(error) or "not enough memory" in str(error):
            message = f"Memory ran out while {doing}; use a smaller batch."
            raise OutOfMemory(message) from error
        raise
