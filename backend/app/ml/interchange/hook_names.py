"""TransformerLens and Hugging Face names of the places that dictionaries read; torch-free."""

from __future__ import annotations

import re

TRANSFORMER_LENS = {
    "residual": "hook_resid_post",
    "resid_mid": "hook_resid_mid",
    "mlp": "hook_mlp_out",
    "attention": "hook_attn_out",
    "z": "attn.hook_z",
    "mlp_input": "mlp.hook_in",
}
_LENS = re.compile(r"blocks\.(\d+)\.(.+)")
_MODULE = re.compile(r"(?:.*\.)?(?:layers|h|blocks)\.(\d+)(?:\.(mlp|attn|self_attn|attention))?")


def lens_name(layer: int, hook_type: str) -> str:
    """Return the TransformerLens name of a place."""
    return f"blocks.{layer}.{TRANSFORMER_LENS[hook_type]}"


def parse_lens_name(name: str | None) -> tuple[int | None, str | None]:
    """Return layer and place of a TransformerLens name; None each where it is another place.

    ``hook_resid_pre`` of a block is the residual stream after the one before it; before block 0
    there is none.
    """
    match = _LENS.fullmatch(name or "")
    if match is None:
        return parse_module_name(name)
    layer, hook = int(match[1]), match[2]
    if hook == "hook_resid_pre" and layer > 0:
        return layer - 1, "residual"
    places = {lens: ours for ours, lens in TRANSFORMER_LENS.items()}
    return layer, places.get(hook)


def parse_module_name(name: str | None) -> tuple[int | None, str | None]:
    """Return layer and place of a module whose output is read, e.g. ``layers.5.mlp``."""
    match = _MODULE.fullmatch(name or "")
    if match is None:
        return None, None
    part = {None: "residual", "mlp": "mlp"}.get(match[2], "attention")
    return int(match[1]), part
