"""The decoder directions in two dimensions, and clusters of them."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import normalize

UMAP_LATENTS = range(4096, 60_000)
"""Where "auto" takes UMAP: its start compiles for many seconds, beyond this it costs minutes."""
UMAP_NEIGHBOURS = 15
MAX_CLUSTERS = 40


@dataclass(frozen=True)
class Layout:
    """``places`` float32 (F, 2) within -1 .. 1, ``clusters`` int32 (F,), the ``method`` used."""

    places: npt.NDArray[np.float32]
    clusters: npt.NDArray[np.int32]
    method: str


def lay_out(W_dec_FD: torch.Tensor, method: str, seed: int) -> Layout | None:
    """Lay directions out by cosine, with k-means clusters of the directions themselves.

    Args:
        W_dec_FD: Decoder.
        method: "umap", "pca", "auto" or "none" (gives None).
        seed: Makes the result repeatable.
    """
    if method == "none" or len(W_dec_FD) < 3:
        return None
    unit_FD = normalize(W_dec_FD.detach().float(), dim=1).cpu().numpy()
    if method == "auto":
        method = "umap" if len(unit_FD) in UMAP_LATENTS and _has_umap() else "pca"
    places = _umap(unit_FD, seed) if method == "umap" else _pca(unit_FD)
    return Layout(_scaled(places), _clusters(unit_FD, seed), method)


def _has_umap() -> bool:
    return importlib.util.find_spec("umap") is not None


def _umap(unit_FD: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float32]:
    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # says that a seed means one thread
        fitted = umap.UMAP(
            n_neighbors=min(UMAP_NEIGHBOURS, len(unit_FD) - 1), metric="cosine", random_state=seed
        ).fit_transform(unit_FD)
    return np.asarray(fitted, dtype=np.float32)


def _pca(unit_FD: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    centred = torch.from_numpy(unit_FD - unit_FD.mean(axis=0))
    values, vectors = torch.linalg.eigh(centred.T @ centred)
    del values
    axes_D2 = vectors[:, -2:].flip(1)
    # An axis has no sign of its own; fixed here so that the same directions give the same map.
    axes_D2 = axes_D2 * torch.sign(axes_D2[axes_D2.abs().argmax(dim=0), torch.arange(2)])
    return np.asarray((centred @ axes_D2).numpy(), dtype=np.float32)


def _scaled(places: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    low, high = places.min(axis=0), places.max(axis=0)
    spread = np.maximum((high - low).max(), 1e-12)
    return np.asarray((places - (low + high) / 2) / spread * 2, dtype=np.float32)


def _clusters(unit_FD: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.int32]:
    from sklearn.cluster import MiniBatchKMeans

    n = int(np.clip(np.sqrt(len(unit_FD) / 4), 2, MAX_CLUSTERS))
    fitted = MiniBatchKMeans(n, random_state=seed, n_init=3, batch_size=2048).fit(unit_FD)
    return np.asarray(fitted.labels_, dtype=np.int32)
