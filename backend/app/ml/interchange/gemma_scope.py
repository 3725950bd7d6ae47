"""Gemma Scope's ``params.npz``: JumpReLU dictionaries that do not centre what they read."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from app.ml.interchange.foreign import ForeignSae, HookPlace, Reference, in_double, require
from app.ml.interchange.guarded_files import read_npz

PARAMS = "params.npz"
SITES = {"res": "residual", "mlp": "mlp", "att": "z"}


def gemma_scope_file(path: Path) -> Path | None:
    """Return the npz file that a path names, itself or in a folder."""
    if path.is_file():
        return path if path.suffix == ".npz" else None
    return path / PARAMS if (path / PARAMS).is_file() else None


def read_gemma_scope(path: Path) -> ForeignSae:
    """Read ``params.npz``; layer and place are in the path, if anywhere.

    ``gemma-scope-2b-pt-att/layer_12/width_16k/…`` are the heads' outputs of layer 12.

    Raises:
        SaeFormatError: object arrays, missing or unfitting arrays, NaN.
    """
    source = read_npz(path)
    require(
        source,
        {"W_enc": ("d", "F"), "W_dec": ("F", "d"), "b_enc": ("F",), "b_dec": ("d",),
         "threshold": ("F",)},
    )  # fmt: skip
    layer = re.search(r"layer_(\d+)", str(path))
    site = re.search(r"gemma-scope-[^/]+-(res|mlp|att)(?:-|/)", path.as_posix())
    return ForeignSae(
        source_format="gemma_scope",
        kind="jumprelu",
        tensors={
            "W_enc_DF": source["W_enc"], "W_dec_FD": source["W_dec"], "b_enc_F": source["b_enc"],
            "b_dec_D": source["b_dec"], "threshold_F": source["threshold"].clamp_min(0),
        },
        activation="jumprelu",
        k=None,
        centres_input=False,
        encoder_type="sparse",
        reference=_reference(source),
        place=HookPlace(int(layer[1]) if layer else None, SITES[site[1]] if site else None),
    )  # fmt: skip


def _reference(source: dict[str, torch.Tensor]) -> Reference:
    t = in_double(source)

    def run(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pre = x @ t["W_enc"] + t["b_enc"]
        acts = (pre > t["threshold"]) * torch.relu(pre)
        return acts, acts @ t["W_dec"] + t["b_dec"]

    return run
