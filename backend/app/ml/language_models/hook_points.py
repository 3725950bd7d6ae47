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
    "attention": ("post_self_attn_layernorm", "post_attention_layernorm"),
    "mlp": ("post_feedforward_layernorm", "post_mlp_layernorm"),
}
"""Norms between a part and the stream (Gemma 2 and 3, OLMo 2, GLM 4): what is added is theirs."""
LAST_PROJECTIONS = {
    "BloomAttention": "dense",
    "BloomMLP": "dense_4h_to_h",
    "MptMLP": "down_proj",
}
"""Parts that add the stream themselves: what they contribute leaves their last product."""
NORMS_BEFORE_MLP = (
    "pre_feedforward_layernorm",
    "pre_ff_layernorm",
    "post_attention_layernorm",
    "ln_2",
    "norm_2",
    "ffn_norm",
    "feedforward_layernorm",
    "final_layer_norm",
)
HEAD_MIXERS = ("o_proj", "c_proj", "out_proj", "dense", "wo")
"""Last product of an attention, which mixes its heads into the stream."""
FINAL_NORM_NAMES = ("norm", "ln_f", "final_layer_norm", "final_layernorm", "norm_f")


@dataclass(frozen=True)
class HookPoint:
    """One place: a module and whether its input or its output is read.

    The value has shape (batch, sequence, width); ``module_name`` is the path inside the model.
    ``is_carried`` marks an input that the block also adds to later, past the module: an edit of it
    must change the tensor itself, or only the module would see the edit. ``is_flat`` marks values
    of blocks that may flatten batch and sequence there (OPT).
    """

    layer: int
    hook_type: str
    module_name: str
    reads_input: bool
    is_carried: bool = False
    is_flat: bool = False

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

    ``residual`` is the stream after the block, ``resid_mid`` the stream between its attention and
    its MLP; ``attention`` and ``mlp`` are what they add to it, after the norm behind them in
    blocks that have one; ``mlp_input`` is what the MLP reads, after the norm before it; ``z`` the
    output of all heads side by side, before it is mixed into the stream.

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
    if hook_type == "z":
        part = _find_head_mixer(blocks[layer])
        return HookPoint(layer, hook_type, f"{block}.{part}", reads_input=True)
    is_flat = hook_type != "attention" and _has_bare_mlp(dict(blocks[layer].named_children()))
    if hook_type == "resid_mid":
        name = f"{block}.{_find_middle(blocks[layer])}"
        return HookPoint(layer, hook_type, name, True, is_carried=True, is_flat=is_flat)
    part, reads_input = _find_part(blocks[layer], hook_type)
    return HookPoint(layer, hook_type, f"{block}.{part}", reads_input, is_flat=is_flat)


def offered_hook_types(model: nn.Module) -> tuple[str, ...]:
    """Return the hook types that every block of a model has."""
    n_blocks = len(find_blocks(model)[1])
    return tuple(
        hook_type
        for hook_type in HOOK_TYPES
        if all(_has(model, layer, hook_type) for layer in range(n_blocks))
    )


def _has(model: nn.Module, layer: int, hook_type: str) -> bool:
    try:
        resolve_hook_point(model, layer, hook_type)
    except HookPointNotFound:
        return False
    return True


def _find_middle(block: nn.Module) -> str:
    """Return the part that is the first to read the stream after attention was added to it.

    Blocks hand it the very tensor that they add the MLP's output to.
    """
    children = dict(block.named_children())
    _first_child(children, ATTENTION_NAMES, "resid_mid")
    if getattr(block, "use_parallel_residual", False) or "ln_mlp" in children:
        raise HookPointNotFound(_parallel_message(block))
    if not getattr(block, "do_layer_norm_before", True) or getattr(
        block, "apply_residual_connection_post_layernorm", False
    ):
        raise HookPointNotFound(
            f"{type(block).__name__} normalises the stream itself, so the sum after attention is "
            "not carried on and there is no resid_mid. Choose residual, attention or mlp_input."
        )
    norms: tuple[str, ...] = NORMS_BEFORE_MLP
    if any(name in children for name in POST_NORMS["mlp"]):
        behind_attention = _first_child(children, POST_NORMS["attention"], "resid_mid")
        norms = tuple(name for name in norms if name != behind_attention)
        if not any(name in children for name in norms):  # OLMo 2: the MLP reads the stream itself
            return _first_child(children, MLP_NAMES, "resid_mid")
    if sum("norm" in name or name.startswith("ln") for name in children) < 2:
        raise HookPointNotFound(_parallel_message(block))
    return _first_child(children, norms, "resid_mid")


def _parallel_message(block: nn.Module) -> str:
    return (
        f"{type(block).__name__} has no resid_mid: its attention and its MLP read the same stream "
        "side by side, so there is nothing between them. Choose residual, attention or mlp."
    )


def _find_head_mixer(block: nn.Module) -> str:
    children = dict(block.named_children())
    attention = _first_child(children, ATTENTION_NAMES, "z")
    inner = dict(children[attention].named_modules())
    for name in inner:
        if name.rpartition(".")[2] in HEAD_MIXERS:
            return f"{attention}.{name}"
    known = ", ".join(dict(children[attention].named_children()))
    raise HookPointNotFound(f"No z was recognised in this attention (parts: {known}).")


def width_at(model: nn.Module, point: HookPoint, d_model: int) -> int:
    """Return the width of the values at a point: of all heads together at ``z``, else d_model."""
    if point.hook_type != "z":
        return d_model
    mixer: Any = model.get_submodule(point.module_name)
    size = getattr(mixer, "in_features", None)
    return int(size if size is not None else mixer.weight.shape[0])  # GPT-2 keeps it transposed


def find_post_attention_norm(model: nn.Module, layer: int) -> nn.Module | None:
    """Return the norm between a block's attention and the stream, if it has one."""
    children = dict(find_blocks(model)[1][layer].named_children())
    if not any(name in children for name in POST_NORMS["mlp"]):
        return None
    return children[_first_child(children, POST_NORMS["attention"], "attention")]


def _find_part(block: nn.Module, hook_type: str) -> tuple[str, bool]:
    children = dict(block.named_children())
    if any(name in children for name in POST_NORMS["mlp"]) and hook_type in POST_NORMS:
        return _first_child(children, POST_NORMS[hook_type], hook_type), False
    if hook_type == "attention":
        return _contribution(children, _first_child(children, ATTENTION_NAMES, hook_type)), False
    if _has_bare_mlp(children):
        return ("fc1", True) if hook_type == "mlp_input" else ("fc2", False)
    name = _first_child(children, MLP_NAMES, hook_type)
    return (name, True) if hook_type == "mlp_input" else (_contribution(children, name), False)


def _has_bare_mlp(children: dict[str, nn.Module]) -> bool:
    """OPT-like blocks carry the MLP's halves themselves."""
    return "fc1" in children and "fc2" in children


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
