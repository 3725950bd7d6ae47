"""Kernels for CUDA devices, each with a plain PyTorch path of the same result elsewhere.

They are written in Triton, which the CUDA builds of PyTorch bring along; nothing of it is loaded on
a machine without one.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import shutil
import sysconfig
from pathlib import Path

import torch

_log = logging.getLogger(__name__)


def has_kernels(tensor: torch.Tensor) -> bool:
    """Return whether the kernels can work on this tensor."""
    return tensor.is_cuda and tensor.dtype != torch.float64 and _can_compile()


@functools.cache
def _can_compile() -> bool:
    lacking = what_kernels_lack()
    if lacking is not None:
        _log.warning("kernels for GPUs are passed over", extra={"lacking": lacking})
    return lacking is None


def what_kernels_lack() -> str | None:
    """Return what Triton needs and does not find here, or None.

    It compiles each kernel itself, but what launches them with a C compiler and Python's headers.
    """
    if importlib.util.find_spec("triton") is None:
        return "the package triton"
    if os.environ.get("CC") is None and not (shutil.which("gcc") or shutil.which("clang")):
        return "a C compiler"
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        return "Python's headers"
    return None
