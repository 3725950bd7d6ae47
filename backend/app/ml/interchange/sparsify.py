"""sparsify folders, one per hook point: ``cfg.json`` and ``sae.safetensors``."""

from __future__ import annotations

from pathlib import Path

import torch

from app.ml.errors import SaeFormatError
from app.ml.interchange.foreign import (
    ForeignSae,
    HookPlace,
    Reference,
    in_double,
    keep_largest,
    positive_int,
    require,
)
from app.ml.interchange.guarded_files import read_config, read_safetensors
from app.ml.interchange.hook_names import parse_module_name

CONFIG, WEIGHTS = "cfg.json", "sae.safetensors"


def is_sparsify(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and (folder / WEIGHTS).is_file()


def read_sparsify(folder: Path) -> ForeignSae:
    """Read a folder; ``W_dec`` lies latent by latent there, whatever dtype the file has.

    Raises:
        SaeFormatError: groupmax, or unfitting tensors.
    """
    config = read_config(folder / CONFIG)
    if config.get("activation", "topk") != "topk":
        raise SaeFormatError(f"Its activation {config['activation']!r} cannot be imported.")
    source = read_safetensors(folder / WEIGHTS)
    shapes: dict[str, tuple[int | str, ...]] = {
        "encoder.weight": ("F", "d"), "encoder.bias": ("F",), "W_dec": ("F", "d"), "b_dec": ("d",)
    }  # fmt: skip
    if "W_skip" in source:
        shapes["W_skip"] = ("d", "d")
    sizes = require(source, shapes)
    transcode = bool(config.get("transcode", False))
    k = positive_int(config.get("k"), "k", sizes["F"])
    tensors = {
        "W_enc_DF": source["encoder.weight"].T.contiguous(),
        "W_dec_FD": source["W_dec"],
        "b_enc_F": source["encoder.bias"],
        "b_dec_D": source["b_dec"],
    }
    if "W_skip" in source:
        tensors["W_skip_DD"] = source["W_skip"]
    layer, hook_type = parse_module_name(folder.name)
    place = HookPlace(layer, hook_type)
    if transcode:  # it reads the input of the module that its folder names
        place = HookPlace(layer, "mlp_input" if hook_type == "mlp" else None, hook_type)
    kind = "transcoder" if transcode else "skip" if "W_skip" in source else "sparse"
    return ForeignSae(
        source_format="sparsify",
        kind=kind,
        tensors=tensors,
        activation="topk",
        k=k,
        centres_input=not transcode,
        encoder_type=kind,
        reference=_reference(source, k, transcode),
        place=place,
        config=config,
    )


def _reference(source: dict[str, torch.Tensor], k: int, transcode: bool) -> Reference:
    """sparsify's own ``encode`` and ``decode``."""
    t = in_double(source)

    def run(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        sae_in = x if transcode else x - t["b_dec"]
        pre = torch.nn.functional.linear(sae_in, t["encoder.weight"], t["encoder.bias"])
        acts = keep_largest(torch.relu(pre), k)
        out = acts @ t["W_dec"] + t["b_dec"]
        return acts, out + x @ t["W_skip"].mT if "W_skip" in t else out

    return run
