"""Names of the places of a block, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OTHER_NAMES = {"resid_post": "residual", "attn_out": "attention", "mlp_out": "mlp"}
"""What TransformerLens and its readers call places that have another name here."""
BEFORE_BLOCK = "resid_pre"


def place_of(layer: int | None, name: str) -> tuple[int | None, str]:
    """Return the layer and the hook type that a name of another library means.

    ``resid_pre`` of a block is ``residual`` of the one before it.

    Raises:
        ValueError: ``resid_pre`` without a layer, or of block 0, before which there is no block.
    """
    if name != BEFORE_BLOCK:
        return layer, OTHER_NAMES.get(name, name)
    if layer is None:
        raise ValueError("resid_pre needs a layer: it is residual of the layer before it")
    if layer == 0:
        raise ValueError(
            "resid_pre of layer 0 are the embeddings, which are no place here; the first is "
            "residual of layer 0, after that block"
        )
    return layer - 1, "residual"


def width_of(card: Mapping[str, Any], hook_type: str) -> int:
    """Return the width of a place of a model from its card.

    Cards of models that were imported before heads were read do not tell ``d_z``; an extraction
    of them adds it.
    """
    own = card.get("d_z") if hook_type == "z" else None
    return int(own or card["d_model"])
