"""Which tokens a feature's direction promotes, by the direct path to the logits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from app.ml.language_models.hook_points import find_final_norm
from app.ml.language_models.loading import LoadedModel

CHUNK_LATENTS = 256


@dataclass(frozen=True)
class LogitEffects:
    """Strongest and weakest tokens per latent, each (F, n), the most extreme first.

    ``kurtosis_F`` is the excess kurtosis over the vocabulary: 0 for a direction that pushes all
    tokens a little, large for one that singles out a few.
    """

    top_ids: npt.NDArray[np.int64]
    top_logits: npt.NDArray[np.float32]
    bottom_ids: npt.NDArray[np.int64]
    bottom_logits: npt.NDArray[np.float32]
    kurtosis_F: npt.NDArray[np.float32]


def final_gain(model: nn.Module) -> tuple[torch.Tensor | None, bool]:
    """Return the final norm's gain (D,) and whether that norm removes the mean (LayerNorm).

    Gemma's norms multiply by one plus their weight.
    """
    norm = find_final_norm(model)
    weight = getattr(norm, "weight", None)
    if norm is None or weight is None:
        return None, isinstance(norm, nn.LayerNorm)
    gain = weight.detach().float()
    if type(norm).__name__.startswith("Gemma"):
        gain = gain + 1
    return gain, isinstance(norm, nn.LayerNorm)


def direct_logits(loaded: LoadedModel, directions_ND: torch.Tensor) -> torch.Tensor:
    """Return directions x gain x unembedding, float32 (N, V).

    The norm's division by the state's size is left out: it scales all tokens alike.
    """
    gain_D, removes_mean = final_gain(loaded.model)
    directions = directions_ND.to(loaded.device).float()
    if removes_mean:
        directions = directions - directions.mean(dim=1, keepdim=True)
    if gain_D is not None:
        directions = directions * gain_D
    unembedding_VD: torch.Tensor = loaded.model.get_output_embeddings().weight
    return (directions.to(unembedding_VD.dtype) @ unembedding_VD.T).float()


def logit_effects(loaded: LoadedModel, W_dec_FD: torch.Tensor, n_tokens: int) -> LogitEffects:
    """Find the most promoted and most suppressed tokens of every latent, chunk by chunk."""
    parts: list[tuple[torch.Tensor, ...]] = []
    with torch.no_grad():
        for start in range(0, len(W_dec_FD), CHUNK_LATENTS):
            logits_XV = direct_logits(loaded, W_dec_FD[start : start + CHUNK_LATENTS])
            n = min(n_tokens, logits_XV.shape[1])
            top, bottom = logits_XV.topk(n), logits_XV.topk(n, largest=False)
            parts.append((top.indices, top.values, bottom.indices, bottom.values,
                          _excess_kurtosis(logits_XV)))  # fmt: skip
    joined = [torch.cat(column).cpu().numpy() for column in zip(*parts, strict=True)]
    return LogitEffects(*joined)


def _excess_kurtosis(logits_XV: torch.Tensor) -> torch.Tensor:
    centred_XV = logits_XV - logits_XV.mean(dim=1, keepdim=True)
    variance_X = centred_XV.pow(2).mean(dim=1).clamp_min(1e-30)
    return centred_XV.pow(4).mean(dim=1) / variance_X.pow(2) - 3
