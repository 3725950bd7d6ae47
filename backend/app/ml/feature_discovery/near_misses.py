"""Tokens at which a feature almost fired."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from app.ml.sae_training.selection import falling, true_places
from app.ml.sae_training.sparse_autoencoder import (
    SparseAutoencoder,
    SparseLatents,
    sorted_active,
)

PER_ROW = 4
"""Latents noted per token: the ones closest to firing."""


@dataclass(frozen=True)
class NearMisses:
    """Rows of the batch and latents int64, ``margins`` float32 at or below zero: what was lacking.

    They stay on the device that encoded.
    """

    rows: torch.Tensor
    latents: torch.Tensor
    margins: torch.Tensor


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
    values_BN, indices_BN = falling(values_BN, indices_BN)
    margins = values_BN[:, k:] - values_BN[:, k - 1 : k]
    near = _chosen(values_BN[:, k:] > 0, indices_BN[:, k:], margins)
    return sorted_active(values_BN[:, :k], indices_BN[:, :k]), near


def _closest(margin_BF: torch.Tensor) -> NearMisses:
    found = margin_BF.topk(min(PER_ROW, margin_BF.shape[1]), dim=1)
    usable = torch.isfinite(found.values) & (found.values <= 0)
    return _chosen(usable, found.indices, found.values)


def _chosen(
    usable_BN: torch.Tensor, latents_BN: torch.Tensor, margins_BN: torch.Tensor
) -> NearMisses:
    places = true_places(usable_BN)
    width = max(usable_BN.shape[1], 1)
    return NearMisses(
        places // width,
        latents_BN.reshape(-1).index_select(0, places),
        margins_BN.reshape(-1).index_select(0, places),
    )
