"""Compiled parts of a language model: TensorRT where it is there, PyTorch's compiler, or neither.

Only the attention and the MLP of each block are compiled. Nearly everything that is read or edited
lies at their borders or outside, so hooks see the same values whatever runs inside. Where one lies
inside (``z``), that part runs as it was before: its ``plain_forward``.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from app.ml.errors import HookPointNotFound
from app.ml.language_models.card import READING_ERRORS
from app.ml.language_models.hook_points import find_blocks, resolve_hook_point
from app.ml.language_models.loading import LoadedModel

EAGER = "eager"
TRIAL_TOKENS = 16
# Largest difference of the trial's output, as a share of its largest number: rounding in the number
# format, which a compiler may do in another order.
TOLERANCE = {torch.float32: 1e-3, torch.float16: 2e-2, torch.bfloat16: 6e-2}
COMPILER_ERRORS = (*READING_ERRORS, NameError, MemoryError)
Forward = Callable[..., Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compiler:
    """One way to make a forward function faster.

    Attributes:
        name: What is shown.
        is_there: Whether it can be tried here at all.
        wrap: The forward function of a part to a faster one of the same results.
    """

    name: str
    is_there: Callable[[torch.device], bool]
    wrap: Callable[[Forward], Forward]


@dataclass(frozen=True)
class Acceleration:
    """What runs; ``failed`` has a sentence for each compiler that was tried before it."""

    name: str
    failed: tuple[str, ...] = ()


def tensorrt(dtype: torch.dtype, engines: Path) -> Compiler:
    """NVIDIA's compiler, by the optional package ``torch-tensorrt``; engines are kept on disk."""
    options: dict[str, Any] = {
        "enabled_precisions": {dtype},
        "cache_built_engines": True,
        "reuse_cached_engines": True,
        "engine_cache_dir": str(engines),
    }

    def wrap(forward: Forward) -> Forward:
        importlib.import_module("torch_tensorrt")
        compiled: Forward = torch.compile(
            forward, backend="torch_tensorrt", dynamic=True, options=options
        )
        return compiled

    return Compiler(
        "tensorrt",
        lambda device: device.type == "cuda" and _has("torch_tensorrt"),
        wrap,
    )


def inductor() -> Compiler:
    """PyTorch's own compiler."""
    return Compiler("compile", lambda _: True, lambda f: torch.compile(f, dynamic=True))


def compilers_for(wanted: str, dtype: torch.dtype, engines: Path) -> list[Compiler]:
    """Return what a setting asks for, the fastest first; "off" is nothing."""
    known = [tensorrt(dtype, engines), inductor()]
    if wanted == "auto":
        return known
    names = [compiler.name for compiler in known]
    return known[names.index(wanted) :] if wanted in names else []


def accelerate(loaded: LoadedModel, compilers: Sequence[Compiler]) -> Acceleration:
    """Compile a model's parts with the first compiler that works and gives the same numbers.

    Each is tried on a short text: one that raises, or whose output differs from the plain model's
    by more than rounding, is taken off again and the next one is tried.

    Args:
        loaded: Changed in place.
        compilers: In order; none leaves the model as it is.

    Returns:
        What runs now. It is kept in ``loaded.acceleration`` too.
    """
    parts = _parts_of(loaded.model)
    failed: list[str] = []
    plain = _trial(loaded) if compilers and parts else None
    for compiler in compilers if parts else ():
        if not compiler.is_there(loaded.device):
            failed.append(f"{compiler.name}: it is not installed, or not for this device")
            continue
        problem = _try(loaded, parts, compiler, plain)
        if problem is None:
            loaded.acceleration = compiler.name
            return Acceleration(compiler.name, tuple(failed))
        _log.warning("compiler passed over", extra={"compiler": compiler.name, "reason": problem})
        failed.append(f"{compiler.name}: {problem}")
    loaded.acceleration = EAGER
    return Acceleration(EAGER, tuple(failed))


def _try(
    loaded: LoadedModel, parts: list[nn.Module], compiler: Compiler, plain: torch.Tensor | None
) -> str | None:
    """Compile and compare; returns why it does not work, and then everything is as before."""
    before = [part.forward for part in parts]
    try:
        for part in parts:
            part.forward = compiler.wrap(part.forward)
        found = _trial(loaded)
        assert plain is not None
        difference = float((found - plain).abs().max() / plain.abs().max())
        if difference <= TOLERANCE[loaded.dtype]:
            for part, forward in zip(parts, before, strict=True):
                part.plain_forward = forward  # type: ignore[assignment]
            return None
        problem = f"its output differs by {difference:.1%}"
    except COMPILER_ERRORS as error:  # whatever one raises, the plain model goes on
        problem = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    for part, forward in zip(parts, before, strict=True):
        part.forward = forward
    return problem


def _trial(loaded: LoadedModel) -> torch.Tensor:
    size = int(loaded.card.vocab_size)
    ids_BS = torch.arange(TRIAL_TOKENS, device=loaded.device)[None] % size
    with torch.no_grad():
        states: torch.Tensor = loaded.body(input_ids=ids_BS, use_cache=False).last_hidden_state
    return states.float()


def _parts_of(model: nn.Module) -> list[nn.Module]:
    """Attention and MLP of every block; nothing where they are not recognised."""
    found = []
    try:
        for layer in range(len(find_blocks(model)[1])):
            for hook_type in ("attention", "mlp"):
                name = resolve_hook_point(model, layer, hook_type).module_name
                found.append(model.get_submodule(name))
    except HookPointNotFound:
        return []
    return found


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
