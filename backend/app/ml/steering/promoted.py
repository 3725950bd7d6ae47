"""Which tokens a direction promotes, by the direct path to the logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.ml.feature_discovery.logit_lens import direct_logits
from app.ml.language_models.loading import LoadedModel
from app.ml.steering.edits import FeatureEdit

N_PROMOTED = 20


def promoted_tokens(
    loaded: LoadedModel, directions_ND: torch.Tensor, n_tokens: int = N_PROMOTED
) -> torch.Tensor:
    """Return the ids of the tokens that each direction promotes most, int64 (N, n), best first."""
    with torch.inference_mode():
        logits_NV = direct_logits(loaded, directions_ND)
        return logits_NV.topk(min(n_tokens, logits_NV.shape[1])).indices.cpu()


def promoted_by(loaded: LoadedModel, edits: Sequence[FeatureEdit]) -> frozenset[int] | None:
    """Return the tokens that a set of edits pushes up: those of its features, or, where a
    feature is pushed down, of the opposite direction."""
    if not edits:
        return None
    signs = [-1.0 if pushes_down(edit) else 1.0 for edit in edits]
    directions = [s * e.direction_D for s, e in zip(signs, edits, strict=True)]
    return frozenset(promoted_tokens(loaded, torch.stack(directions)).flatten().tolist())


def pushes_down(edit: FeatureEdit) -> bool:
    """Whether an edit makes its feature smaller than the model makes it."""
    if edit.method == "ablate":
        return True
    limit = 1.0 if edit.method in ("scale", "project") else 0.0
    return edit.coefficient < limit
