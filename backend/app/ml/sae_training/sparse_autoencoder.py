"""A trained dictionary, ready to read activations in their original space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from app.ml.errors import CheckpointInvalid, InvalidActivations
from app.ml.files import read_json
from app.ml.sae_training.row_lists import offsets_of, row_sums
from app.ml.sae_training.selection import by_index, falling, largest_per_row, true_places
from app.ml.sae_training.sparse_products import decode_sparse, sampled_products

TENSOR_NAMES = ("W_enc_DF", "W_dec_FD", "b_enc_F", "b_dec_D")
EXTRA_TENSOR_NAMES = {"jumprelu": ("threshold_F",), "gated": ("b_gate_F", "r_mag_F")}
"""What an activation needs beside ``TENSOR_NAMES``; ``W_skip_DD`` may stand with any."""
RESCORE_MARGIN = 16
"""Candidates beyond k that are compared in float32 after a bfloat16 selection."""


@dataclass(frozen=True)
class SparseLatents:
    """Latents above zero of N rows in compressed form, sorted by row.

    ``values`` float32 and ``latents`` int64 of the entries, ``rows`` int64 the row of each.
    """

    rows: torch.Tensor
    latents: torch.Tensor
    values: torch.Tensor


class SparseAutoencoder(nn.Module):
    """Latents ``f(x_c W_enc + b_enc)``, output ``latents W_dec + b_dec (+ W_skip x)``.

    ``x_c`` is ``x - b_dec`` for dictionaries that reconstruct what they read, and ``x`` itself
    (``centres_input`` false) where input and output differ, as in transcoders. ``f`` is

    - "relu";
    - "topk": relu of the k largest of each row;
    - "jumprelu": the pre-activation where it exceeds ``threshold_F``, else 0. A batch-topk
      dictionary is one with the threshold it learned;
    - "gated": ``relu(exp(r_mag) (x_c W_enc) + b_enc)`` where ``x_c W_enc + b_gate > 0``, else 0.

    Args:
        tensors: ``W_enc_DF W_dec_FD b_enc_F b_dec_D`` and those that ``EXTRA_TENSOR_NAMES`` asks
            for; ``W_skip_DD`` (output width, input width) adds a linear path past the latents.
            Any float dtype, kept in float32.
        activation: As above.
        k: Latents kept per row (topk).
        centres_input: Whether ``b_dec`` is subtracted from what is read.
    """

    def __init__(
        self,
        tensors: dict[str, torch.Tensor],
        activation: str,
        k: int | None,
        *,
        centres_input: bool = True,
    ) -> None:
        super().__init__()
        self.activation, self.k, self.centres_input = activation, k, centres_input
        # Stored latent by latent: rows of the encoder are gathered by latent in encode_active.
        encoder_FD = tensors["W_enc_DF"].float().T.contiguous()
        self.W_enc_DF = nn.Parameter(encoder_FD.T, requires_grad=False)
        for name in (*TENSOR_NAMES[1:], *EXTRA_TENSOR_NAMES.get(activation, ()), "W_skip_DD"):
            value = tensors[name].float() if name in tensors else None
            self.register_parameter(
                name, None if value is None else nn.Parameter(value, requires_grad=False)
            )
        self._low_encoder_FD: torch.Tensor | None = None

    W_dec_FD: nn.Parameter
    b_enc_F: nn.Parameter
    b_dec_D: nn.Parameter
    threshold_F: nn.Parameter
    b_gate_F: nn.Parameter
    r_mag_F: nn.Parameter
    W_skip_DD: nn.Parameter | None

    @property
    def d_model(self) -> int:
        """Width of what is read."""
        return self.W_enc_DF.shape[0]

    @property
    def d_out(self) -> int:
        """Width of what is written; differs from ``d_model`` in some transcoders only."""
        return self.W_dec_FD.shape[1]

    @property
    def d_sae(self) -> int:
        return self.W_dec_FD.shape[0]

    def encode(self, x_BD: torch.Tensor) -> torch.Tensor:
        """Return all latents, float32 (B, F), zero where inactive.

        Raises:
            InvalidActivations: wrong width, NaN or infinity.
        """
        pre_BF = self._pre_activations(self._centred(x_BD))
        if self.activation == "jumprelu":
            return pre_BF.mul_(pre_BF > self.threshold_F)
        if self.activation == "gated":
            gate_BF = pre_BF - self.b_enc_F
            magnitude_BF = gate_BF * self.r_mag_F.exp() + self.b_enc_F
            return torch.relu_(magnitude_BF).mul_(gate_BF + self.b_gate_F > 0)
        if self.activation != "topk" or self.k is None:
            return torch.relu_(pre_BF)
        values_BK, indices_BK = largest_per_row(pre_BF, self.k)
        return torch.zeros_like(pre_BF).scatter_(1, indices_BK, torch.relu(values_BK))

    def encode_topk(
        self, x_BD: torch.Tensor, dtype: torch.dtype = torch.float32, k: int | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the k largest latents of each row: values and indices, (B, k), in any order.

        ``k`` is the dictionary's own unless another is asked for.

        With a 16-bit ``dtype`` the dense product only proposes k + 16 candidates, whose values
        are then computed in float32 and compared.
        """
        k = k or self.k or self.d_sae
        centred_BD = self._centred(x_BD)
        if dtype == torch.float32 or k + RESCORE_MARGIN >= self.d_sae:
            values_BK, indices_BK = largest_per_row(self._pre_activations(centred_BD), k)
            return torch.relu(values_BK), indices_BK
        proposal_BF = self._pre_activations(centred_BD, dtype)
        candidates_BC = largest_per_row(proposal_BF, k + RESCORE_MARGIN)[1]
        exact_BC = sampled_products(centred_BD, self.W_enc_DF.T, candidates_BC)
        exact_BC += self.b_enc_F[candidates_BC]
        values_BK, indices_BK = falling(exact_BC, candidates_BC, k)
        return torch.relu(values_BK), indices_BK

    def encode_active(
        self, x_BD: torch.Tensor, dtype: torch.dtype = torch.float32
    ) -> SparseLatents:
        """Return only the latents above zero, sorted by row and then by latent."""
        if self.activation == "topk":
            return sorted_active(*self.encode_topk(x_BD, dtype))
        latents_BF = self.encode(x_BD)
        rows, latents = latents_BF.nonzero(as_tuple=True)
        return SparseLatents(rows, latents, latents_BF[rows, latents])

    def margins(self, x_BD: torch.Tensor) -> torch.Tensor:
        """Return by how much each latent's pre-activation exceeds what makes it fire, (B, F).

        With topk that is the strongest latent that is left out, for those that are kept, and the
        weakest that is kept for the others; it is never below zero.
        """
        pre_BF = self._pre_activations(self._centred(x_BD))
        if self.activation == "topk":
            return pre_BF - _topk_bounds(pre_BF, self.k or self.d_sae)
        if self.activation == "jumprelu":
            return pre_BF - self.threshold_F
        if self.activation == "gated":
            return pre_BF - self.b_enc_F + self.b_gate_F
        return pre_BF

    def decode_active(
        self, active: SparseLatents, n_rows: int, x_BD: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the output (n_rows, D) of latents in compressed form.

        ``x_BD``, what was read, is needed for the skip path only.
        """
        offsets = offsets_of(active.rows, n_rows)
        sums_BD = row_sums(
            self.W_dec_FD, active.latents, offsets, active.values, self.W_dec_FD.dtype
        )
        return self._with_skip(sums_BD + self.b_dec_D, x_BD)

    def decode(self, latents_BF: torch.Tensor, x_BD: torch.Tensor | None = None) -> torch.Tensor:
        """Return the output (B, D) of dense latents; ``x_BD`` as in ``decode_active``."""
        return self._with_skip(latents_BF @ self.W_dec_FD + self.b_dec_D, x_BD)

    def forward(self, x_BD: torch.Tensor) -> torch.Tensor:
        """Return the output for ``x_BD``: its reconstruction, or a transcoder's target."""
        if self.activation == "topk":
            values_BK, indices_BK = self.encode_topk(x_BD)
            sums_BD = decode_sparse(values_BK, indices_BK, self.W_dec_FD)
            return self._with_skip(sums_BD + self.b_dec_D, x_BD)
        return self.decode(self.encode(x_BD), x_BD)

    def _with_skip(self, output_BD: torch.Tensor, x_BD: torch.Tensor | None) -> torch.Tensor:
        if self.W_skip_DD is None:
            return output_BD
        if x_BD is None:
            raise ValueError("a dictionary with a skip path needs what it reads to decode")
        return torch.addmm(output_BD, x_BD.to(output_BD.dtype), self.W_skip_DD.T)

    def _centred(self, x_BD: torch.Tensor) -> torch.Tensor:
        if x_BD.ndim != 2 or x_BD.shape[1] != self.d_model:
            width = x_BD.shape[-1] if x_BD.ndim else 0
            raise InvalidActivations(
                f"The dictionary reads activations of width {self.d_model}, not {width}."
            )
        if not bool(torch.isfinite(x_BD).all()):
            raise InvalidActivations("The activations hold NaN or infinity.")
        x_BD = x_BD.to(self.b_dec_D.dtype)
        return x_BD - self.b_dec_D if self.centres_input else x_BD

    def _pre_activations(
        self, centred_BD: torch.Tensor, dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        if dtype == torch.float32:
            return torch.addmm(self.b_enc_F, centred_BD, self.W_enc_DF)
        if self._low_encoder_FD is None or self._low_encoder_FD.dtype != dtype:
            self._low_encoder_FD = self.W_enc_DF.T.to(dtype)
        bias_F = self.b_enc_F.to(dtype)
        return torch.nn.functional.linear(centred_BD.to(dtype), self._low_encoder_FD, bias_F)


def _topk_bounds(pre_BF: torch.Tensor, k: int) -> torch.Tensor:
    """Return what each pre-activation has to exceed to be among the k largest, (B, F)."""
    best_BN = pre_BF.topk(min(k + 1, pre_BF.shape[1]), dim=1).values
    weakest_kept_B1, best_left_out_BN = best_BN[:, k - 1 : k], best_BN[:, k:]
    if best_left_out_BN.shape[1] == 0:
        return torch.zeros_like(pre_BF)
    is_kept_BF = pre_BF >= weakest_kept_B1
    return torch.where(is_kept_BF, best_left_out_BN, weakest_kept_B1).clamp_min(0)


def sorted_active(values_BK: torch.Tensor, indices_BK: torch.Tensor) -> SparseLatents:
    """Return k kept latents per row in compressed form; those that are not above zero are left."""
    values_BK, indices_BK = by_index(values_BK, indices_BK)
    active = true_places(values_BK > 0)
    values, indices = values_BK.reshape(-1), indices_BK.reshape(-1)
    if len(active) < len(values):
        values, indices = values.index_select(0, active), indices.index_select(0, active)
    return SparseLatents(active // max(values_BK.shape[1], 1), indices, values)


def load_sae(path: Path, device: str = "cpu") -> SparseAutoencoder:
    """Load a dictionary from a checkpoint folder or from the ``sae.safetensors`` in one.

    Raises:
        CheckpointInvalid: missing or damaged files, tensors of unfitting shapes.
    """
    folder = path.parent if path.suffix == ".safetensors" else path
    try:
        metadata: dict[str, Any] = read_json(folder / "metadata.json")
        tensors = load_file(folder / "sae.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointInvalid(f"{folder.name} holds no readable dictionary: {error}") from error
    activation = metadata["activation"]
    _check_shapes(tensors, activation, folder)
    sae = SparseAutoencoder(
        tensors,
        activation,
        metadata.get("k"),
        centres_input=metadata.get("centres_input", True),
    )
    return sae.to(torch.device(device))


def _check_shapes(tensors: dict[str, torch.Tensor], activation: str, folder: Path) -> None:
    needed = (*TENSOR_NAMES, *EXTRA_TENSOR_NAMES.get(activation, ()))
    missing = [name for name in needed if name not in tensors]
    if missing:
        raise CheckpointInvalid(f"{folder.name}/sae.safetensors lacks {', '.join(missing)}.")
    d_in, d_sae = tensors["W_enc_DF"].shape
    d_out = tensors["W_dec_FD"].shape[-1]
    expected = {"W_dec_FD": (d_sae, d_out), "b_dec_D": (d_out,), "W_skip_DD": (d_out, d_in)}
    expected |= {name: (d_sae,) for name in needed if name.endswith("_F")}
    for name, shape in expected.items():
        if name in tensors and tuple(tensors[name].shape) != shape:
            raise CheckpointInvalid(f"{folder.name}: {name} has shape {tuple(tensors[name].shape)}")
