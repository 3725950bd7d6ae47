"""Forward passes that read or edit activations; hooks never outlive the block that sets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from app.ml.language_models.hook_points import HookPoint

if TYPE_CHECKING:
    from app.ml.language_models.loading import LoadedModel

Edit = Callable[[torch.Tensor], torch.Tensor | None]
"""Gets the value (batch, sequence, width); returns its replacement, or None to leave it."""


PARTS = ("attention", "mlp")


class _AllCaptured(Exception):
    pass


@contextmanager
def edit_at(model: nn.Module, point: HookPoint, edit: Edit) -> Iterator[None]:
    """Pass the value at ``point`` through ``edit`` during the block; then the hook is gone.

    Blocks that answer with tuples keep their other items. The hook is removed on exceptions too.
    """
    module = model.get_submodule(point.module_name)
    with ExitStack() as stack:
        stack.enter_context(_plain_around(model, point))
        if point.is_flat:
            edit = stack.enter_context(_unflattened(model, point, edit))
        if point.is_carried:
            handle = module.register_forward_pre_hook(_carried_hook(edit), with_kwargs=True)
        elif point.reads_input:
            handle = module.register_forward_pre_hook(_input_hook(edit), with_kwargs=True)
        else:
            handle = module.register_forward_hook(_output_hook(edit))
        stack.callback(handle.remove)
        yield


@contextmanager
def hooked(model: nn.Module, edits: Sequence[tuple[HookPoint, Edit]]) -> Iterator[None]:
    """Set several edits at once; at one point they act in the order given."""
    with ExitStack() as stack:
        for point, edit in edits:
            stack.enter_context(edit_at(model, point, edit))
        yield


def _output_hook(edit: Edit) -> Callable[[nn.Module, Any, Any], Any]:
    def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            changed = edit(output[0])
            return None if changed is None else (changed, *output[1:])
        return edit(output)

    return hook


def _input_hook(edit: Edit) -> Callable[[nn.Module, Any, Any], Any]:
    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args:
            changed = edit(args[0])
            return None if changed is None else ((changed, *args[1:]), kwargs)
        changed = edit(kwargs["hidden_states"])
        return None if changed is None else (args, {**kwargs, "hidden_states": changed})

    return hook


def _carried_hook(edit: Edit) -> Callable[[nn.Module, Any, Any], Any]:
    """The block adds to this very tensor once the module is done, so it is changed itself."""

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        value = args[0] if args else kwargs["hidden_states"]
        changed = edit(value)
        if changed is not None:
            value.copy_(changed)

    return hook


@contextmanager
def _unflattened(model: nn.Module, point: HookPoint, edit: Edit) -> Iterator[Edit]:
    """Yield an edit of (B x S, D) by one that takes (B, S, D); the block's input has the sizes."""
    sizes: list[torch.Size] = []

    def note(_block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        sizes[:] = [(args[0] if args else kwargs["hidden_states"]).shape[:2]]

    def shaped(value: torch.Tensor) -> torch.Tensor | None:
        changed = edit(value if value.ndim == 3 else value.view(*sizes[0], -1))
        return None if changed is None else changed.reshape(value.shape)

    block = model.get_submodule(point.module_name.rpartition(".")[0])
    handle = block.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield shaped
    finally:
        handle.remove()


@contextmanager
def _plain_around(model: nn.Module, point: HookPoint) -> Iterator[None]:
    """Run what lies around a point uncompiled: compiled code never calls hooks inside it."""
    names = point.module_name.split(".")[:-1]
    around = [model.get_submodule(".".join(names[: n + 1])) for n in range(len(names))]
    compiled = [(m, m.forward) for m in around if "plain_forward" in vars(m)]
    for module, _ in compiled:
        module.forward = module.plain_forward  # type: ignore[assignment]
    try:
        yield
    finally:
        for module, forward in compiled:
            module.forward = forward


def capture(
    loaded: LoadedModel, input_ids_BS: torch.Tensor, hook_points: Sequence[HookPoint]
) -> dict[HookPoint, torch.Tensor]:
    """Read activations at several points in one pass that stops at the last of them.

    Args:
        loaded: Model in evaluation mode.
        input_ids_BS: int64, without padding; moved to the model's device.
        hook_points: From ``resolve_hook_point``; order does not matter.

    Returns:
        Per point a tensor (B, S, D) in the model's dtype on its device.
    """
    found: dict[HookPoint, torch.Tensor] = {}

    def keep(point: HookPoint) -> Edit:
        def edit(value: torch.Tensor) -> None:
            # Falcon adds the attention to the MLP's output in place, after this hook.
            found[point] = value.clone() if point.hook_type in PARTS else value
            if len(found) == len(set(hook_points)):
                raise _AllCaptured

        return edit

    hooks = hooked(loaded.model, [(point, keep(point)) for point in hook_points])
    with torch.inference_mode(), suppress(_AllCaptured), hooks:
        loaded.body(input_ids=input_ids_BS.to(loaded.device), use_cache=False)
    return found
