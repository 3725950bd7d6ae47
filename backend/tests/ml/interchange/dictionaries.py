"""One small dictionary of every kind that is trained here, with rows that it explains."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from app.ml.files import write_json
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder

D, F, N = 12, 40, 600
LAYER = 3
KINDS = {
    "topk": ("topk", "sparse", False),
    "relu": ("relu", "sparse", False),
    "jumprelu": ("jumprelu", "sparse", False),
    "gated": ("gated", "sparse", False),
    "relu transcoder": ("relu", "transcoder", False),
    "jumprelu transcoder": ("jumprelu", "transcoder", False),
    "topk transcoder": ("topk", "transcoder", False),
    "skip transcoder": ("relu", "transcoder", True),
    "jumprelu skip transcoder": ("jumprelu", "transcoder", True),
    "skip": ("relu", "skip", True),
}
"""Activation, encoder type, skip path; batchtopk is jumprelu once it is trained."""


@dataclass(frozen=True)
class Made:
    """``sae`` reads ``x_ND`` and writes ``target_ND``; ``metadata`` is its checkpoint's."""

    sae: SparseAutoencoder
    tensors: dict[str, torch.Tensor]
    metadata: dict[str, object]
    x_ND: torch.Tensor
    target_ND: torch.Tensor

    def save(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.tensors, folder / "sae.safetensors")
        write_json(folder / "metadata.json", self.metadata)
        return folder


def rows() -> torch.Tensor:
    """Sparse codes of known directions about a mean that is not zero."""
    random = torch.Generator().manual_seed(0)
    codes = torch.relu(torch.randn(N, F, generator=random) - 1.2)
    directions = torch.randn(F, D, generator=random)
    return codes @ directions + 3 * torch.randn(D, generator=random)


def make(kind: str) -> Made:
    """Random encoder, decoder by least squares: it explains part of what it should write."""
    activation, encoder_type, has_skip = KINDS[kind]
    random = torch.Generator().manual_seed(1)
    x = rows()
    target = x
    if encoder_type == "transcoder":
        inner = torch.relu((x - x.mean(0)) @ torch.randn(D, D, generator=random))
        target = inner @ torch.randn(D, D, generator=random)
    centres = encoder_type == "sparse"
    tensors = {
        "W_enc_DF": torch.randn(D, F, generator=random) / D**0.5,
        "W_dec_FD": torch.zeros(F, D),
        "b_enc_F": torch.randn(F, generator=random) * 0.1,
        "b_dec_D": target.mean(0),
    }
    if not centres:  # as folding does: the mean of what is read goes into the bias
        tensors["b_enc_F"] -= x.mean(0) @ tensors["W_enc_DF"]
    if activation == "jumprelu":
        tensors["threshold_F"] = torch.rand(F, generator=random) + 0.2
    if activation == "gated":
        tensors["b_gate_F"] = torch.randn(F, generator=random) * 0.1
        tensors["r_mag_F"] = torch.randn(F, generator=random) * 0.1
    if has_skip:
        tensors["W_skip_DD"] = torch.randn(D, D, generator=random) * 0.01
    k = 6 if activation == "topk" else None
    draft = SparseAutoencoder(tensors, activation, k, centres_input=centres)
    latents = draft.encode(x)
    missing = target - draft.decode(latents, x)
    tensors["W_dec_FD"] = _solve(latents, missing)
    sae = SparseAutoencoder(tensors, activation, k, centres_input=centres)
    reads = "mlp_input" if encoder_type == "transcoder" else "residual"
    metadata: dict[str, object] = {
        "format": "mistudio-sae-1", "step": 7, "activation": activation, "k": k,
        "centres_input": centres, "encoder_type": encoder_type, "layer": LAYER,
        "hook_type": reads, "d_model": D, "d_out": D, "d_sae": F,
        "target_hook_type": "mlp" if encoder_type == "transcoder" else reads,
    }  # fmt: skip
    return Made(sae, tensors, metadata, x, target)


def _solve(latents: torch.Tensor, missing: torch.Tensor) -> torch.Tensor:
    found = torch.linalg.lstsq(latents.double(), missing.double()).solution
    return found.float().contiguous()
