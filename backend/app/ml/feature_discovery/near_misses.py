"""Tokens at which a feature almost fired."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from app.ml.sae_training.selection import rising_order
from app.ml.sae_training.sparse_autoencoder import (
    SparseAutoencoder,
    SparseLatents,
    sorted_active,
)

PER_ROW = 4
"""Latents noted per token: the ones closest to firing."""


@dataclass(frozen=True)
class NearMisses:
    """``margins`` float32 at or below zero: how much the pre-activation lacked to fire."""

    rows: npt.NDArray[np.int64]
    latents: npt.NDArray[np.int64]
    margins: npt.NDArray[np.float32]


def encode_with_near_misses(
    sae: SparseAutoencoder, x_BD: torch.Tensor, dtype: torch.dtype
) -> tuple[SparseLatents, NearMisses]:
    """Encode a batch once; return what fired and, per row, the ``PER_ROW`` that nearly did.

    What a latent lacks is measured against what decides about it: the weakest latent that was
    kept (topk), its own threshold (jumprelu), its gate (gated), zero (relu).
    """
    if sae.activation == "topk":
        return _topk(sae, x_BD, dtype)
    margin_BF = sae.margins(x_BD)
    active = _active(sae, x_BD, margin_BF)
    margin_BF[active.rows, active.latents] = -torch.inf
    return active, _closest(margin_BF)


def _active(sae: SparseAutoencoder, x_BD: torch.Tensor, margin_BF: torch.Tensor) -> SparseLatents:
    """What fired; the product with the encoder is not computed a second time where it need not."""
    if sae.activation == "gated":
        return sae.encode_active(x_BD)
    rows, latents = (margin_BF > 0).nonzero(as_tuple=True)
    values = margin_BF[rows, latents]
    if sae.activation == "jumprelu":
        values = values + sae.threshold_F[latents]
        positive = values > 0
        return SparseLatents(rows[positive], latents[positive], values[positive])
    return SparseLatents(rows, latents, values)


def _topk(
    sae: SparseAutoencoder, x_BD: torch.Tensor, dtype: torch.dtype
) -> tuple[SparseLatents, NearMisses]:
    k = sae.k or sae.d_sae
    n = min(k + PER_ROW, sae.d_sae)
    values_BN, indices_BN = sae.encode_topk(x_BD, dtype, k=n)
    order = rising_order(-values_BN)
    values_BN, indices_BN = values_BN.gather(1, order), indices_BN.gather(1, order)
    rest = NearMisses(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    if n > k:
        margins = values_BN[:, k:] - values_BN[:, k - 1 : k]
        near = values_BN[:, k:] > 0
        rows = torch.arange(len(x_BD), device=x_BD.device).unsqueeze(1).expand_as(near)
        rest = NearMisses(
            rows[near].cpu().numpy(), indices_BN[:, k:][near].cpu().numpy(),
            margins[near].cpu().numpy(),
        )  # fmt: skip
    return sorted_active(values_BN[:, :k], indices_BN[:, :k]), rest


def _closest(margin_BF: torch.Tensor) -> NearMisses:
    found = margin_BF.topk(min(PER_ROW, margin_BF.shape[1]), dim=1)
    usable = torch.isfinite(found.values) & (found.values <= 0)
    rows = torch.arange(len(margin_BF), device=margin_BF.device).unsqueeze(1).expand_as(usable)
    return NearMisses(
        rows[usable].cpu().numpy(),
        found.indices[usable].cpu().numpy(),
        found.values[usable].cpu().numpy(),
    )
