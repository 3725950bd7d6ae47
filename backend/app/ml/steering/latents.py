"""Reading single latents exactly as their dictionary defines them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from app.ml.sae_training.sparse_autoencoder import (
    EXTRA_TENSOR_NAMES,
    TENSOR_NAMES,
    SparseAutoencoder,
)


@dataclass(frozen=True, eq=False)
class Latent:
    """A latent of a dictionary and the place that the dictionary reads."""

    dictionary: SparseAutoencoder
    index: int
    layer: int
    hook_type: str


class LatentReader:
    """Reads chosen latents of one dictionary.

    Where a latent depends on its own column only (relu, jumprelu, gated), that column is cut out,
    which makes reading it nearly free. A top-k latent depends on all others, so all are read.

    Args:
        dictionary: Any architecture.
        indices: Latents to read, in the order wanted.
        device: Where the states are.
    """

    def __init__(
        self, dictionary: SparseAutoencoder, indices: Sequence[int], device: torch.device
    ) -> None:
        self._is_whole = dictionary.activation == "topk"
        self._indices = torch.tensor(list(indices), device=device)
        self._dictionary = (
            dictionary if self._is_whole else _cut_out(dictionary, list(indices))
        ).to(device)

    def read(self, state_ND: torch.Tensor) -> torch.Tensor:
        """Return float32 (N, latents), zero where inactive.

        Raises:
            InvalidActivations: wrong width, NaN or infinity.
        """
        if not self._is_whole:
            return self._dictionary.encode(state_ND)
        values_NK, indices_NK = self._dictionary.encode_topk(state_ND)
        hits_NKE = indices_NK.unsqueeze(2) == self._indices
        return (values_NK.unsqueeze(2) * hits_NKE).sum(dim=1)


def _cut_out(dictionary: SparseAutoencoder, indices: list[int]) -> SparseAutoencoder:
    extra = EXTRA_TENSOR_NAMES.get(dictionary.activation, ())
    tensors = {name: getattr(dictionary, name).detach() for name in (*TENSOR_NAMES, *extra)}
    for name in tensors:
        if name == "W_enc_DF":
            tensors[name] = tensors[name][:, indices]
        elif name == "W_dec_FD" or name.endswith("_F"):
            tensors[name] = tensors[name][indices]
    return SparseAutoencoder(
        tensors, dictionary.activation, dictionary.k, centres_input=dictionary.centres_input
    )
