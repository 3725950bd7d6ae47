"""Which tokens a direction promotes, by the direct path to the logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.ml.feature_discovery.logit_lens import NO_LENS_HOOKS, direct_logits
from app.ml.language_models.loading import LoadedModel
from app.ml.steering.edits import FeatureEdit

N_PROMOTED = 20


def promoted_tokens(
    loaded: LoadedModel,
    directions_ND: torch.Tensor,
    layer: int,
    hook_type: str,
    n_tokens: int = N_PROMOTED,
) -> torch.Tensor:
    """Return the ids of the tokens that each direction promotes most, int64 (N, n), best first.

    Args:
        loaded: The model.
        directions_ND: As wide as the place where they are added.
        layer: Its block.
        hook_type: Which place in the block.
        n_tokens: Tokens of each.
    """
    with torch.inference_mode():
        logits_NV = direct_logits(loaded, directions_ND, layer, hook_type)
        return logits_NV.topk(min(n_tokens, logits_NV.shape[1])).indices.cpu()


def promoted_by(loaded: LoadedModel, edits: Sequence[FeatureEdit]) -> frozenset[int] | None:
    """Return the tokens that a set of edits pushes up: those of its features, or, where a
    feature is pushed down, of the opposite direction. None where no edit leads to tokens."""
    leading = [edit for edit in edits if edit.hook_type not in NO_LENS_HOOKS]
    if not leading:
        return None
    found: set[int] = set()
    for edit in leading:
        direction_ND = edit.direction_D[None] * (-1.0 if pushes_down(edit) else 1.0)
        ids = promoted_tokens(loaded, direction_ND, edit.layer, edit.hook_type)
        found |= set(ids[0].tolist())
    return frozenset(found)


def pushes_down(edit: FeatureEdit) -> bool:
    """Whether an edit makes its feature smaller than the model makes it."""
    if edit.method == "ablate":
        return True
    if edit.method == "floor":  # it never lowers
        return False
    if edit.method == "clamp":  # to 0 is to ablate
        return edit.coefficient <= 0
    limit = 1.0 if edit.method in ("scale", "project") else 0.0
    return edit.coefficient < limit
