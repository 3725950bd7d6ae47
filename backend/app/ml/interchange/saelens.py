"""SAELens folders (version 6 and before): ``cfg.json`` and ``sae_weights.safetensors``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
from app.ml.interchange.hook_names import parse_lens_name

CONFIG, WEIGHTS, SCALER = "cfg.json", "sae_weights.safetensors", "activation_scaler.json"
LEGACY_NAMES = {"hook_point": "hook_name", "hook_point_head_index": "hook_head_index",
                "activation_fn_str": "activation_fn",
                "dataset": "dataset_path"}  # fmt: skip
ARCHITECTURES = {
    "standard": "relu", "topk": "topk", "jumprelu": "jumprelu", "gated": "gated",
    "transcoder": "relu", "skip_transcoder": "relu", "jumprelu_transcoder": "jumprelu",
    "jumprelu_skip_transcoder": "jumprelu",
}  # fmt: skip
NAMES = {"W_enc": "W_enc_DF", "W_dec": "W_dec_FD", "b_enc": "b_enc_F", "b_dec": "b_dec_D",
         "b_gate": "b_gate_F", "b_mag": "b_enc_F", "r_mag": "r_mag_F", "threshold": "threshold_F",
         "W_skip": "W_skip_DD"}  # fmt: skip


Z_NOTE = (
    "It reads the heads' outputs side by side. TransformerLens moves a bias of the values into the "
    "output's; in models that have one (GPT-2, Pythia) its activations differ by that constant."
)


def is_saelens(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and (folder / WEIGHTS).is_file()


def read_saelens(folder: Path) -> ForeignSae:
    """Read a folder.

    Raises:
        SaeFormatError: another architecture, or normalisations that no linear map can express.
    """
    config = unified(read_config(folder / CONFIG))
    architecture = str(config.get("architecture"))
    if architecture not in ARCHITECTURES:
        raise SaeFormatError(
            f"The SAELens architecture {architecture!r} cannot be imported; known are "
            f"{', '.join(ARCHITECTURES)}."
        )
    source = read_safetensors(folder / WEIGHTS)
    notes = _refuse_or_fold(folder, config, source)
    if "log_threshold" in source:
        source["threshold"] = source.pop("log_threshold").exp()
    activation = ARCHITECTURES[architecture]
    _check(source, activation, architecture)
    k = (
        positive_int(config.get("k"), "k", source["W_enc"].shape[1])
        if activation == "topk"
        else None
    )
    centres = bool(config.get("apply_b_dec_to_input", True)) and "transcoder" not in architecture
    rescales = bool(config.get("rescale_acts_by_decoder_norm", False))
    metadata = config["metadata"]
    place = _place(metadata)
    return ForeignSae(
        source_format="saelens",
        kind=architecture,
        tensors=_converted(source, rescales),
        activation=activation,
        k=k,
        centres_input=centres,
        encoder_type=_encoder_type(architecture, metadata),
        reference=_reference(source, activation, k, centres, rescales),
        place=place,
        model_name=metadata.get("model_name"),
        config=config,
        notes=notes,
    )


def unified(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration in the shape of version 6, whatever version wrote it."""
    if isinstance(config.get("metadata"), dict):
        return config
    flat = {LEGACY_NAMES.get(name, name): value for name, value in config.items()}
    kwargs = flat.get("activation_fn_kwargs")
    if flat.get("activation_fn") == "topk" and isinstance(kwargs, dict):
        flat |= {"architecture": "topk", "k": kwargs.get("k")}
    return {"architecture": "standard", **flat, "metadata": flat}


def _refuse_or_fold(
    folder: Path, config: dict[str, Any], source: dict[str, torch.Tensor]
) -> list[str]:
    """Fold a fixed input scale into the tensors; refuse what depends on each token."""
    metadata = config["metadata"]
    if metadata.get("hook_head_index") is not None:
        raise SaeFormatError(
            f"It reads head {metadata['hook_head_index']} of an attention alone; only dictionaries "
            "of all heads together can be imported."
        )
    notes = []
    if parse_lens_name(metadata.get("hook_name"))[1] == "z":
        notes.append(Z_NOTE)
    elif config.get("reshape_activations", "none") not in ("none", None):
        raise SaeFormatError(
            f"It reshapes {metadata.get('hook_name')!r} by {config['reshape_activations']!r}; only "
            "the heads' outputs (attn.hook_z) have a shape of their own here."
        )
    if "scaling_factor" in source:
        source["W_dec"] = source.pop("scaling_factor")[:, None] * source["W_dec"]
        notes.append("The scaling of each latent was folded into its decoder row.")
    wanted = config.get("normalize_activations") or "none"
    if wanted == "none":
        return notes
    if wanted == "expected_average_only_in" and (folder / SCALER).is_file():
        scale = float(read_config(folder / SCALER)["scaling_factor"])
        source["W_enc"] = source["W_enc"] * scale
        source["W_dec"], source["b_dec"] = source["W_dec"] / scale, source["b_dec"] / scale
        return [*notes, f"The input scale {scale:g} was folded into the weights."]
    raise SaeFormatError(
        f"It normalises activations by {wanted!r}; only dictionaries that read activations as they "
        "are can be imported. Fold the scale in SAELens before saving."
    )


def _check(source: dict[str, torch.Tensor], activation: str, architecture: str) -> None:
    shapes: dict[str, tuple[int | str, ...]] = {
        "W_enc": ("d_in", "F"), "W_dec": ("F", "d_out"), "b_dec": ("d_out",)
    }  # fmt: skip
    if activation == "gated":
        shapes |= dict.fromkeys(("b_gate", "b_mag", "r_mag"), ("F",))
    else:
        shapes["b_enc"] = ("F",)
    if activation == "jumprelu":
        shapes["threshold"] = ("F",)
    if "skip" in architecture:
        shapes["W_skip"] = ("d_out", "d_in")
    require(source, shapes)
    for name in set(source) - set(shapes):
        del source[name]


def _converted(source: dict[str, torch.Tensor], rescales: bool) -> dict[str, torch.Tensor]:
    ours = {NAMES[name]: tensor for name, tensor in source.items()}
    if rescales:
        norms_F = ours["W_dec_FD"].double().norm(dim=1)
        ours["W_enc_DF"] = (ours["W_enc_DF"].double() * norms_F).float()
        ours["b_enc_F"] = (ours["b_enc_F"].double() * norms_F).float()
        ours["W_dec_FD"] = (ours["W_dec_FD"].double() / norms_F[:, None]).float()
    if "threshold_F" in ours:  # relu comes first there: a threshold below 0 acts as 0
        ours["threshold_F"] = ours["threshold_F"].clamp_min(0)
    return ours


def _encoder_type(architecture: str, metadata: dict[str, Any]) -> str:
    out = metadata.get("hook_name_out")
    elsewhere = bool(out) and out != metadata.get("hook_name")
    if "skip" in architecture and not elsewhere and out:
        return "skip"
    return "transcoder" if elsewhere or "transcoder" in architecture else "sparse"


def _place(metadata: dict[str, Any]) -> HookPlace:
    layer, hook_type = parse_lens_name(metadata.get("hook_name"))
    if metadata.get("hook_name") == "blocks.0.hook_resid_pre":
        raise SaeFormatError(
            "It reads the embeddings before block 0, which are no place that is extracted here; "
            "the first is residual of layer 0, after that block."
        )
    target = parse_lens_name(metadata.get("hook_name_out"))[1]
    return HookPlace(layer, hook_type, target)


def _reference(
    source: dict[str, torch.Tensor], activation: str, k: int | None, centres: bool, rescales: bool
) -> Reference:
    """SAELens' own definition of each architecture's ``encode`` and ``decode``."""
    t = in_double(source)
    norms = t["W_dec"].norm(dim=-1)

    def run(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        sae_in = x - t["b_dec"] if centres else x
        if activation == "gated":
            active = (sae_in @ t["W_enc"] + t["b_gate"] > 0).double()
            acts = active * torch.relu(sae_in @ (t["W_enc"] * t["r_mag"].exp()) + t["b_mag"])
        else:
            pre = sae_in @ t["W_enc"] + t["b_enc"]
            if rescales:
                pre = pre * norms
            acts = torch.relu(keep_largest(pre, k) if k is not None else pre)
            if activation == "jumprelu":
                acts = acts * (pre > t["threshold"])
        out = (acts / norms if rescales else acts) @ t["W_dec"] + t["b_dec"]
        return acts, out + x @ t["W_skip"].T if "W_skip" in t else out

    return run
