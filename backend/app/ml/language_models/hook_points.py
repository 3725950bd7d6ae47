"""Where in a model activations are read: found by what modules are called, not by a model list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from app.ml.configs.extraction import HOOK_TYPES
from app.ml.errors import HookPointNotFound

BLOCK_LIST_PATHS = (
    "model.layers",
    "transformer.h",
    "gpt_neox.layers",
    "model.decoder.layers",
    "transformer.blocks",
    "transformer.layers",
    "backbone.layers",
    "model.language_model.layers",
)
ATTENTION_NAMES = ("self_attn", "attn", "attention", "self_attention")
MLP_NAMES = ("mlp", "feed_forward", "ffn", "block_sparse_moe")
PARTS_OF_BLOCKS = ("attention", "ffn", "mlp", "norm")
MAX_LISTED = 12
POST_NORMS = {
    "attention": ("post_attention_layernorm", "post_self_attn_layernorm"),
    "mlp": ("post_feedforward_layernorm", "post_mlp_layernorm"),
}
"""Norms between a part and the stream (Gemma 2 and 3, OLMo 2, GLM 4): what is added is theirs."""
LAST_PROJECTIONS = {
    "BloomAttention": "dense",
    "BloomMLP": "dense_4h_to_h",
    "MptMLP": "down_proj",
}
"""Parts that add the stream themselves: what they contribute leaves their last product."""
FINAL_NORM_NAMES = ("norm", "ln_f", "final_layer_norm", "final_layernorm", "norm_f")


@dataclass(frozen=True)
class HookPoint:
    """One place: a module and whether its input or its output is read.

    The value has shape (batch, sequence, d_model); ``module_name`` is the path inside the model.
    """

    layer: int
    hook_type: str
    module_name: str
    reads_input: bool

    @property
    def name(self) -> str:
        """Name of the folder of this place: ``L14_residual``."""
        return f"L{self.layer}_{self.hook_type}"


def find_blocks(model: nn.Module) -> tuple[str, nn.ModuleList]:
    """Return the path and the list of the model's transformer blocks.

    Known paths first, then any ModuleList with as many entries as the configuration has layers,
    unless its entries are parts of blocks (XLM keeps a list of each part).

    Raises:
        HookPointNotFound: nothing in the model looks like its list of blocks.
    """
    modules = dict(model.named_modules())
    for path in BLOCK_LIST_PATHS:
        if isinstance(blocks := modules.get(path), nn.ModuleList) and len(blocks):
            return path, blocks
    depth = getattr(getattr(model, "config", None), "num_hidden_layers", None)
    for path, module in modules.items():
        if isinstance(module, nn.ModuleList) and len(module) == depth and _holds_blocks(module):
            return path, module
    raise HookPointNotFound(_no_blocks_message(model, modules, depth))


def _holds_blocks(modules: nn.ModuleList) -> bool:
    kinds = {type(module).__name__.lower() for module in modules}
    return not any(part in kind for kind in kinds for part in PARTS_OF_BLOCKS)


def _no_blocks_message(model: nn.Module, modules: dict[str, nn.Module], depth: int | None) -> str:
    """Say what was looked for and which lists were found instead."""
    lists = [f"{p} ({len(m)})" for p, m in modules.items() if isinstance(m, nn.ModuleList)]
    found = ", ".join(lists[:MAX_LISTED]) or "none"
    more = f" and {len(lists) - MAX_LISTED} more" if len(lists) > MAX_LISTED else ""
    wanted = f" of {depth} entries" if depth else ""
    return (
        f"{type(model).__name__} has no recognisable list of transformer blocks{wanted}. "
        f"Module lists in it: {found}{more}. Activations can be read only where a model keeps "
        "whole blocks in one list."
    )


def resolve_hook_point(model: nn.Module, layer: int, hook_type: str) -> HookPoint:
    """Find where ``hook_type`` of block ``layer`` (counted from 0) is read.

    ``residual`` is the stream after the block; ``attention`` and ``mlp`` are what they add to
    it, after the norm behind them in blocks that have one; ``mlp_input`` is what the MLP reads,
    after the norm before it.

    Raises:
        HookPointNotFound: no such layer or no such part in this architecture.
    """
    if hook_type not in HOOK_TYPES:
        names = ", ".join(HOOK_TYPES)
        raise HookPointNotFound(f"Hook type {hook_type!r} does not exist; choose {names}.")
    path, blocks = find_blocks(model)
    if not 0 <= layer < len(blocks):
        last = len(blocks) - 1
        raise HookPointNotFound(f"Layer {layer} does not exist; this model has layers 0 to {last}.")
    block = f"{path}.{layer}"
    if hook_type == "residual":
        return HookPoint(layer, hook_type, block, reads_input=False)
    part, reads_input = _find_part(blocks[layer], hook_type)
    return HookPoint(layer, hook_type, f"{block}.{part}", reads_input)


def _find_part(block: nn.Module, hook_type: str) -> tuple[str, bool]:
    children = dict(block.named_children())
    if any(name in children for name in POST_NORMS["mlp"]) and hook_type in POST_NORMS:
        return _first_child(children, POST_NORMS[hook_type], hook_type), False
    if hook_type == "attention":
        return _contribution(children, _first_child(children, ATTENTION_NAMES, hook_type)), False
    if "fc1" in children and "fc2" in children:  # OPT-like blocks carry the MLP's halves bare
        return ("fc1", True) if hook_type == "mlp_input" else ("fc2", False)
    name = _first_child(children, MLP_NAMES, hook_type)
    return (name, True) if hook_type == "mlp_input" else (_contribution(children, name), False)


def _contribution(children: dict[str, nn.Module], name: str) -> str:
    """Return the path of the module whose output is what ``name`` adds to the stream."""
    last = LAST_PROJECTIONS.get(type(children[name]).__name__)
    return f"{name}.{last}" if last else name


def _first_child(children: dict[str, nn.Module], names: tuple[str, ...], hook_type: str) -> str:
    for name in names:
        if name in children:
            return name
    known = ", ".join(children)
    raise HookPointNotFound(f"No {hook_type} was recognised in this block (parts: {known}).")


def find_final_norm(model: nn.Module) -> nn.Module | None:
    """Return the norm between the last block and the unembedding, if the model has one."""
    parent_path = find_blocks(model)[0].rpartition(".")[0]
    parent = model.get_submodule(parent_path) if parent_path else model
    children: dict[str, Any] = dict(parent.named_children())
    return next((children[name] for name in FINAL_NORM_NAMES if name in children), None)
