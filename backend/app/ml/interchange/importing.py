"""Bringing a dictionary of another library into a checkpoint folder of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from app.ml.errors import SaeFormatError
from app.ml.files import file_sha256, replacing_folder, write_json
from app.ml.interchange.foreign import ForeignSae
from app.ml.interchange.parity import ParityReport, check_parity
from app.ml.sae_training.checkpoint import FORMAT

FILE = "sae.safetensors"


@dataclass(frozen=True)
class ImportedSae:
    """What is known of an imported dictionary; ``origin`` is JSON."""

    activation: str
    k: int | None
    d_in: int
    d_out: int
    d_sae: int
    encoder_type: str
    origin: dict[str, Any]
    parity: ParityReport


def import_sae(
    foreign: ForeignSae,
    place: tuple[int, str, str],
    x_ND: torch.Tensor,
    target_ND: torch.Tensor,
    target: Path,
) -> ImportedSae:
    """Prove a dictionary on real activations, then write it as a checkpoint of ours.

    Args:
        foreign: From ``read_foreign``.
        place: Layer, hook type that is read, hook type that is written.
        x_ND: Real activations that it reads, float32.
        target_ND: Those that it writes.
        target: Folder to make; it is whole or absent.

    Raises:
        ParityFailed: see ``check_parity``; nothing is written.
        SaeFormatError: what it reads or writes has another width than the model there.
    """
    d_in, d_sae = foreign.tensors["W_enc_DF"].shape
    d_out = foreign.tensors["W_dec_FD"].shape[1]
    for verb, width, there in (("reads", d_in, x_ND), ("writes", d_out, target_ND)):
        if width != there.shape[1]:
            raise SaeFormatError(
                f"It {verb} {width} dimensions, but the model has {there.shape[1]} there. Choose "
                "the model, layer and hook type that it was trained on."
            )
    with torch.no_grad():
        parity = check_parity(foreign, x_ND, target_ND)
    origin = {
        "format": foreign.source_format,
        "kind": foreign.kind,
        "model_name": foreign.model_name,
        "notes": foreign.notes,
        "parity": parity.to_json(),
    }
    layer, hook_type, target_hook_type = place
    with replacing_folder(target) as temporary:
        save_file({n: t.contiguous() for n, t in foreign.tensors.items()}, temporary / FILE)
        metadata = {
            "format": FORMAT, "step": 0, "reason": "import", "activation": foreign.activation,
            "k": foreign.k, "centres_input": foreign.centres_input,
            "encoder_type": foreign.encoder_type, "layer": layer, "hook_type": hook_type,
            "target_hook_type": target_hook_type, "d_model": d_in, "d_out": d_out, "d_sae": d_sae,
            "origin": origin, "sha256": {FILE: file_sha256(temporary / FILE)},
        }  # fmt: skip
        write_json(temporary / "metadata.json", metadata)
    return ImportedSae(
        foreign.activation, foreign.k, d_in, d_out, d_sae, foreign.encoder_type, origin, parity
    )
