"""A dictionary of another library: in our tensors, and as its own library defines it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from app.ml.errors import SaeFormatError

Reference = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""Latents (B, F) and output (B, D) of rows (B, D), float64, straight from the source's tensors."""
Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class HookPlace:
    """Where a dictionary reads and writes, as far as its folder tells."""

    layer: int | None = None
    hook_type: str | None = None
    target_hook_type: str | None = None


@dataclass(frozen=True)
class ForeignSae:
    """``tensors activation k centres_input`` are ``SparseAutoencoder``'s.

    ``reference`` is written from the source's definition alone, never from our tensors: it is
    what the conversion is compared with.
    """

    source_format: str
    kind: str
    tensors: dict[str, torch.Tensor]
    activation: str
    k: int | None
    centres_input: bool
    encoder_type: str
    reference: Reference
    place: HookPlace = field(default_factory=HookPlace)
    model_name: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def require(tensors: Tensors, shapes: Mapping[str, tuple[int | str, ...]]) -> dict[str, int]:
    """Check names and shapes; letters stand for one size each and are returned.

    Raises:
        SaeFormatError: a tensor is missing, or of another shape.
    """
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        if name not in tensors:
            held = ", ".join(sorted(tensors)) or "nothing"
            raise SaeFormatError(f"The tensor {name} is missing; the file holds {held}.")
        found = tuple(tensors[name].shape)
        wanted = tuple(sizes.setdefault(s, n) if isinstance(s, str) else s
                       for s, n in zip(shape, found, strict=False))  # fmt: skip
        if len(found) != len(shape) or found != wanted:
            raise SaeFormatError(
                f"{name} has shape {found}, which does not fit the other tensors {sizes}."
            )
    return sizes


def in_double(tensors: Tensors) -> dict[str, torch.Tensor]:
    return {name: tensor.double() for name, tensor in tensors.items()}


def keep_largest(pre_BF: torch.Tensor, k: int) -> torch.Tensor:
    """Return the k largest of each row, zero elsewhere."""
    kept = pre_BF.topk(k, dim=-1)
    return torch.zeros_like(pre_BF).scatter(-1, kept.indices, kept.values)


def positive_int(value: Any, name: str, most: int) -> int:
    """Return a whole number of 1 to ``most``.

    Raises:
        SaeFormatError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise SaeFormatError(f"{name} must be a whole number of 1 to {most}, not {value!r}.")
    return value
