"""Which tokens a feature's direction promotes, by the direct path to the logits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from app.ml.language_models.hook_points import (
    find_final_norm,
    find_post_attention_norm,
    resolve_hook_point,
)
from app.ml.language_models.loading import LoadedModel

CHUNK_LATENTS = 256
NO_LENS_HOOKS = ("mlp_input",)
"""Nothing is written there, so nothing goes from there to the logits."""


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


def to_stream(
    loaded: LoadedModel, directions_ND: torch.Tensor, layer: int, hook_type: str
) -> torch.Tensor:
    """Return what directions at a place add to the residual stream, float32 (N, d_model).

    Directions at ``z`` go through the product that mixes the heads, without its bias, and through
    the gain of the norm behind attention where a block has one. At all other places that are
    written, directions are of the stream already.
    """
    directions = directions_ND.to(loaded.device).float()
    if hook_type != "z":
        return directions
    mixer = loaded.model.get_submodule(resolve_hook_point(loaded.model, layer, "z").module_name)
    read = directions.to(loaded.dtype)
    with torch.no_grad():
        stream = (mixer(read) - mixer(torch.zeros_like(read[:1]))).float()
    return _through_norm(find_post_attention_norm(loaded.model, layer), stream)


def direct_logits(
    loaded: LoadedModel, directions_ND: torch.Tensor, layer: int, hook_type: str
) -> torch.Tensor:
    """Return directions at a place x gain x unembedding, float32 (N, V).

    A norm's division by the state's size is left out: it scales all tokens alike.
    """
    stream_ND = to_stream(loaded, directions_ND, layer, hook_type)
    final_ND = _through_norm(find_final_norm(loaded.model), stream_ND)
    unembedding_VD: torch.Tensor = loaded.model.get_output_embeddings().weight
    return (final_ND.to(unembedding_VD.dtype) @ unembedding_VD.T).float()


def gain_of(norm: nn.Module | None) -> tuple[torch.Tensor | None, bool]:
    """Return a norm's gain (D,) and whether it removes the mean (LayerNorm).

    Gemma's norms multiply by one plus their weight.
    """
    weight = getattr(norm, "weight", None)
    if weight is None:
        return None, isinstance(norm, nn.LayerNorm)
    gain = weight.detach().float()
    if type(norm).__name__.startswith("Gemma"):
        gain = gain + 1
    return gain, isinstance(norm, nn.LayerNorm)


def _through_norm(norm: nn.Module | None, directions_ND: torch.Tensor) -> torch.Tensor:
    gain_D, removes_mean = gain_of(norm)
    if removes_mean:
        directions_ND = directions_ND - directions_ND.mean(dim=1, keepdim=True)
    return directions_ND if gain_D is None else directions_ND * gain_D.to(directions_ND.device)


def logit_effects(
    loaded: LoadedModel, W_dec_FD: torch.Tensor, n_tokens: int, layer: int, hook_type: str
) -> LogitEffects:
    """Find the most promoted and most suppressed tokens of every latent, chunk by chunk.

    Args:
        loaded: Model of the dictionary.
        W_dec_FD: Its decoder.
        n_tokens: Of each kind.
        layer: Block that it writes.
        hook_type: Which place in the block.
    """
    parts: list[tuple[torch.Tensor, ...]] = []
    with torch.no_grad():
        for start in range(0, len(W_dec_FD), CHUNK_LATENTS):
            logits_XV = direct_logits(
                loaded, W_dec_FD[start : start + CHUNK_LATENTS], layer, hook_type
            )
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
