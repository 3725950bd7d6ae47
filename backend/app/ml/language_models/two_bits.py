"""Weights in 2 bits by HQQ, put into a model that has been loaded."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from app.ml.errors import ModelFormatError
from app.ml.language_models.hook_points import find_blocks

BITS = 2
GROUP_SIZES = (32, 16, 8)
"""Weights that share a scale and a zero point; smaller groups where 32 do not fit."""
WEIGHTS_PER_BYTE = 4


def quantise_to_two_bits(model: Any, dtype: torch.dtype, device: torch.device) -> Any:
    """Replace the products in a model's blocks by 2-bit ones; the rest moves to ``device``.

    Scales and zero points are kept in 16 bits, so a weight takes 3 bits in groups of 32. Source:
    Badri & Shaji 2023, half-quadratic quantisation.

    Raises:
        ModelFormatError: a product's size is no multiple of 32 weights.
    """
    from hqq.core.quantize import BaseQuantizeConfig, HQQLinear  # seconds, and only for this

    for name, product in list(find_blocks(model)[1].named_modules()):
        linear = _as_linear(product)
        if linear is None:
            continue
        config = BaseQuantizeConfig(nbits=BITS, group_size=_group_size(name, linear), axis=1)
        small = HQQLinear(linear, config, compute_dtype=dtype, device=str(device))
        for key in ("scale", "zero"):
            small.meta[key] = small.meta[key].half()
        find_blocks(model)[1].set_submodule(name, small)
    return model.to(device)


def two_bit_extras(module: nn.Module) -> list[torch.Tensor]:
    """Return the tensors of a 2-bit product that are neither parameters nor buffers."""
    meta = getattr(module, "meta", None)
    return [meta[key] for key in ("scale", "zero")] if isinstance(meta, dict) else []


def _as_linear(module: nn.Module) -> nn.Linear | None:
    """Return a product as HQQ wants it: GPT-2 keeps its weights transposed."""
    if isinstance(module, nn.Linear):
        return module
    if not isinstance(module, Conv1D):
        return None
    n_in, n_out = module.weight.shape
    linear = nn.Linear(n_in, n_out, device="meta")
    linear.weight = nn.Parameter(module.weight.T.contiguous(), requires_grad=False)
    linear.bias = module.bias
    return linear


def _group_size(name: str, linear: nn.Linear) -> int:
    count = linear.weight.numel()
    for size in GROUP_SIZES:
        if count % (WEIGHTS_PER_BYTE * size) == 0:
            return size
    raise ModelFormatError(
        f"{name} has {count} weights, which 2 bits cannot pack; import the model as Q4."
    )
