"""Features whose directions point the same way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import normalize

CHUNK_LATENTS = 512
DUPLICATE_COSINE = 0.9
"""Two decoder directions closer than this say the same thing twice."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest latents by cosine, (F, n), the nearest first."""

    indices: npt.NDArray[np.int64]
    cosines: npt.NDArray[np.float32]


def nearest(directions_FD: torch.Tensor, n: int) -> Neighbours:
    """Compare every direction with every other, chunk by chunk.

    A direction of length zero has cosine 0 with all.
    """
    unit_FD = normalize(directions_FD.float(), dim=1)
    n = min(n, len(unit_FD) - 1)
    indices, cosines = [], []
    for start in range(0, len(unit_FD), CHUNK_LATENTS):
        cosine_XF = unit_FD[start : start + CHUNK_LATENTS] @ unit_FD.T
        own = torch.arange(len(cosine_XF), device=cosine_XF.device)
        cosine_XF[own, own + start] = -torch.inf
        found = cosine_XF.topk(n, dim=1)
        indices.append(found.indices.cpu())
        cosines.append(found.values.cpu())
    return Neighbours(torch.cat(indices).numpy(), torch.cat(cosines).numpy())


def encoder_decoder_cosines(
    W_enc_DF: torch.Tensor, W_dec_FD: torch.Tensor
) -> npt.NDArray[np.float32] | None:
    """Return the cosine of each latent's two directions (F,); None where the widths differ."""
    if W_enc_DF.shape[0] != W_dec_FD.shape[1]:
        return None
    cosines: npt.NDArray[np.float32] = (
        (normalize(W_enc_DF.T.float(), dim=1) * normalize(W_dec_FD.float(), dim=1))
        .sum(dim=1)
        .cpu()
        .numpy()
    )
    return cosines
