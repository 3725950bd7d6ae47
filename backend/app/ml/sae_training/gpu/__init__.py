"""Kernels for CUDA devices, each with a plain PyTorch path of the same result elsewhere.

They are written in Triton, which the CUDA builds of PyTorch bring along; nothing of it is loaded on
a machine without one.
"""

from __future__ import annotations

import functools
import importlib.util

import torch


def has_kernels(tensor: torch.Tensor) -> bool:
    """Return whether the kernels can work on this tensor."""
    return tensor.is_cuda and tensor.dtype != torch.float64 and _can_compile()


@functools.cache
def _can_compile() -> bool:
    return importlib.util.find_spec("triton") is not None
